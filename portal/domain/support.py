"""Support views: how long they last, what may allow them, how they end, and what is masked."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

LIFE = timedelta(minutes=30)
IDLE_LIFE = timedelta(minutes=10)
RECENT = timedelta(minutes=5)
"""How long after their sign-in staff are asked for no other code."""
LEAST_REASON, LONGEST_REASON, LONGEST_TICKET = 10, 500, 100
FRIDAY, OPENS, CLOSES = 4, 7, 19
ASKABLE = timedelta(days=7)
"""How long a wish waits for the owners; then staff may ask again."""
ACCEPTED = timedelta(days=1)
"""How long a window stays open that staff asked for."""
APPROVABLE = timedelta(minutes=30)
"""How long a second member of staff has to approve, and then the first to begin."""
SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
"""What owners may choose for one that they open unasked."""


class Consent(StrEnum):
    """Whether an account has to let staff look; break-glass: it, or a second of the staff."""

    OPEN = "open"
    CONSENT = "consent"
    BREAK_GLASS = "break-glass"


class EndCause(StrEnum):
    LEFT = "left"
    OVER = "over"
    IDLE = "idle"
    SIGNED_OUT = "signed_out"
    MEMBER_GONE = "member_gone"
    CLOSED = "closed"
    ANOTHER = "another"
    STRICTER = "stricter"


def suffices(consent: Consent, *, by_window: bool, by_approval: bool) -> bool:
    """Whether what allowed a view when it began is enough for the choice of now."""
    return by_window or consent is Consent.OPEN or (consent is Consent.BREAK_GLASS and by_approval)


def masked_email(email: str) -> str:
    """The first letter and the domain: o…@northwind.test."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}…{at}{domain}"


def is_out_of_hours(at: datetime) -> bool:
    """Outside Monday to Friday, 7 to 19 in the zone of `at`."""
    return at.weekday() > FRIDAY or not OPENS <= at.hour < CLOSES
