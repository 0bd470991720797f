"""What only the calendar brings about, in one round: reminders and digests."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.services.lot_reminding import remind_of_lots
from portal.services.reminding import remind_of_cards, remind_of_prices, remind_of_trials
from portal.services.renewal_reminding import remind_of_renewals

REMINDERS = (
    remind_of_cards,
    remind_of_trials,
    remind_of_prices,
    remind_of_renewals,
    remind_of_lots,
)


def remind(session: Session, scope: Scope, wall: WallNow) -> None:
    """Store every reminder that is due by its account's clock, a card's by the wall's; commit.

    Safe to repeat.
    """
    for each in REMINDERS:
        each(session, scope, wall)
