"""Names of the background jobs, and the queue of each environment."""

from __future__ import annotations

SEND_MAIL = "send_mail"
DELIVER = "deliver"
RECHARGE = "recharge"
CHARGE_NEW_CARDS = "charge_new_cards"
MATCH = "match_declarations"
MAIL_RESET_LINK = "mail_reset_link"


def queue_of(environment_id: int) -> str:
    """Each environment's workers take its own jobs only."""
    return f"environment-{environment_id}"
