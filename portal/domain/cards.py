"""A saved card: how long it is good for, and why it may have to stay."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.domain.money import Money
from portal.domain.periods import Interval, WallNow

SOON = timedelta(days=60)
"""Long enough before the end for two reminders and a new card by post, for a plan of any length:
an annual one would otherwise warn for most of a year."""

REMINDERS = (SOON, timedelta(days=14))
"""How long before the end of the default card its account is told, each time once."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card that the account keeps. since: when it was saved. detached: it was taken away.

    refused: its bank forbade to try it again.
    """

    id: int
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    since: datetime
    detached: bool = False
    refused: bool = False


class Expiry(StrEnum):
    VALID = "valid"
    EXPIRING_SOON = "expiring_soon"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What will be charged again, when, and for how much before `tax`. instance_id: None for the
    plan."""

    name: str
    at: datetime
    amount: Money
    tax: Money
    interval: Interval
    instance_id: int | None = None


class KeptFor(StrEnum):
    PAYMENT = "payment"
    RENEWALS = "renewals"


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a card cannot be removed now. renewals: those that are charged to it, soonest first."""

    reason: KeptFor
    renewals: tuple[Renewal, ...] = ()


def today_in(zone: str, wall: WallNow) -> date:
    """The day by which a card's expiry is read: the processor's clock, the account's zone.

    Never the account's test clock: the bank does not know of it.
    """
    return wall.astimezone(ZoneInfo(zone)).date()


def expiry(exp_month: int, exp_year: int, today: date) -> Expiry:
    """A card is good until the last day of its month; soon: that day is at most 60 days away."""
    ends = last_day(exp_month, exp_year)
    if ends < today:
        return Expiry.EXPIRED
    return Expiry.EXPIRING_SOON if ends - today <= SOON else Expiry.VALID


def last_day(exp_month: int, exp_year: int) -> date:
    return date(exp_year, exp_month, monthrange(exp_year, exp_month)[1])


def reminder(ends: date, today: date) -> int | None:
    """The number of the reminder that is due, the latest where several are; None when none is."""
    left = ends - today
    if left < timedelta(0):
        return None
    return sum(1 for lead in REMINDERS if left <= lead) or None


def why_kept(card: Card, renewals: tuple[Renewal, ...], *, in_payment: bool) -> Kept | None:
    """Why `card` cannot be removed; None when it can.

    renewals: what the account is charged again for, whichever card that is. in_payment: a payment
    with this very card has no end yet. What renews needs the default only, so that any other card
    can always go once its payments have ended. Source: product.md §5 (payment methods).
    """
    if in_payment:
        return Kept(KeptFor.PAYMENT)
    if card.is_default and renewals:
        return Kept(KeptFor.RENEWALS, renewals)
    return None
