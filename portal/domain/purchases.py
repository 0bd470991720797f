"""What may become of an accepted purchase, and whether what was paid for can still be given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CHECKOUT_LIFE = timedelta(minutes=33)
"""How long a Checkout can be paid: Stripe's least, 30 minutes, and time for a resent request."""

HELD_FOR = timedelta(minutes=35)
"""How long a purchase waits for its money; a Checkout opened in time adds its own life.

Source: product.md §4 (quote): frozen until its Checkout ends, 30-35 minutes.
"""


class Failure(StrEnum):
    """Why a purchase came to nothing."""

    DECLINED = "declined"
    STOPPED = "stopped"
    LAPSED = "lapsed"
    UNDELIVERABLE = "undeliverable"


class Undeliverable(StrEnum):
    """Why money that arrived goes back in full. Source: product.md §4 (late money)."""

    PAID_TWICE = "paid_twice"
    PERIOD_OVER = "period_over"
    SUBSCRIPTION_ENDED = "subscription_ended"
    NO_ROOM = "no_room"
    BALANCE_USED = "balance_used"
    MOVED_ON = "moved_on"
    LIMIT_REACHED = "limit_reached"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What giving a purchase depends on at the instant its money is there.

    over_at: the earliest instant at which the period paid for, or what was bought, ends.
    units_left: how many more may be held besides this purchase; None = any number.
    balance_free: whether the credit and the carried cents it counted with are still there.
    moved_on: a change whose subscription, or instance, is not what it was when it was quoted; or an
    add-on that the plan which has come since does not allow.
    limit_free: whether it still fits what may be spent in its month.
    """

    settled: bool
    subscription_lives: bool
    over_at: datetime | None
    quantity: int
    units_left: int | None
    balance_free: bool
    moved_on: bool = False
    limit_free: bool = True


def undeliverable(delivery: Delivery, at: datetime) -> Undeliverable | None:
    """Why a purchase that has just been paid cannot be given at `at`; None when it can."""
    if delivery.settled:
        return Undeliverable.PAID_TWICE
    if not delivery.subscription_lives:
        return Undeliverable.SUBSCRIPTION_ENDED
    if delivery.over_at is not None and delivery.over_at <= at:
        return Undeliverable.PERIOD_OVER
    if delivery.moved_on:
        return Undeliverable.MOVED_ON
    if delivery.units_left is not None and delivery.units_left < delivery.quantity:
        return Undeliverable.NO_ROOM
    if not delivery.limit_free:
        return Undeliverable.LIMIT_REACHED
    return None if delivery.balance_free else Undeliverable.BALANCE_USED


def time_for_checkout(over_at: datetime | None, now: datetime) -> bool:
    """False in the last 35 minutes of what is bought: the money could come too late.

    Source: product.md §4 (quote).
    """
    return over_at is None or now + HELD_FOR <= over_at
