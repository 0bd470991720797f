"""Which way a change of plan goes, when it takes effect, and what becomes of each add-on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from portal.domain.catalog import AddOn, Plan, Price, Status, price_for
from portal.domain.credits import StoredLine
from portal.domain.eligibility import is_allowed
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import Interval, Period
from portal.domain.pricing import exact_minor
from portal.domain.recurring import Recurring


class Timing(StrEnum):
    NOW = "now"
    AT_TERM_END = "at_term_end"


class PlanReason(StrEnum):
    """Why a subscription cannot change to a plan, or one cannot begin.

    CLOSING: the last one is over, and its last bills are not made yet. UNPAID: an invoice is open.
    """

    NO_SUBSCRIPTION = "no_subscription"
    SAME = "same"
    NOT_SOLD = "not_sold"
    NO_PRICE = "no_price"
    TRIALING = "trialing"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    RENEWING = "renewing"
    PAYMENT_PENDING = "payment_pending"
    AGREED = "agreed"
    CANCELLING = "cancelling"
    PERMISSION = "permission"
    CLOSING = "closing"
    UNPAID = "unpaid"


class Fate(StrEnum):
    """What becomes of an instance when its plan changes.

    CARRIES_ON: untouched. SWITCHES: to its price with the plan's new interval. STARTS_SWITCHED: the
    same of one that has not begun, with a period of its own from its start. KEEPS_PERIOD: it has
    none, and goes on with its own. ENDS: it cannot go on. CANCELLING: it ended already.
    """

    CARRIES_ON = "carries_on"
    SWITCHES = "switches"
    STARTS_SWITCHED = "starts_switched"
    KEEPS_PERIOD = "keeps_period"
    ENDS = "ends"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True)
class Held:
    """A recurring instance. stored: its charge lines whose period is not over."""

    instance_id: int
    add_on: AddOn
    starts_at: datetime
    stored: tuple[StoredLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """sold, period: what the plan costs now, and what is paid. price: from effective_at on."""

    sold: Price
    period: Period
    target: Plan
    price: Price
    timing: Timing
    at: datetime
    effective_at: datetime

    @property
    def restarts(self) -> bool:
        """True when another interval begins: a new period starts where the change takes effect."""
        return self.price.interval != self.sold.interval


@dataclass(frozen=True, slots=True)
class Move:
    """price: what it is billed at afterwards, None when it ends, at `ends_at`."""

    instance_id: int
    name: str
    quantity: int
    fate: Fate
    price: Price | None
    ends_at: datetime | None = None


_BLOCKED = {
    SubscriptionStatus.TRIALING: PlanReason.TRIALING,
    SubscriptionStatus.PAST_DUE: PlanReason.PAST_DUE,
    SubscriptionStatus.SUSPENDED: PlanReason.SUSPENDED,
    SubscriptionStatus.CANCELLED: PlanReason.NO_SUBSCRIPTION,
}


def plan_refusal(
    plan: Plan, sold: Price, target: Plan, interval: Interval, status: SubscriptionStatus
) -> PlanReason | None:
    """Why `plan`, sold at `sold`, cannot become `target` billed every `interval`; None if it can.

    Source: upstream-systems.md §2.6 (what a change refuses); product.md §6.
    """
    if (target.lookup_key, interval) == (plan.lookup_key, sold.interval):
        return PlanReason.SAME
    return sale_refusal(target, sold.currency, interval) or _BLOCKED.get(status)


def sale_refusal(target: Plan, currency: str, interval: Interval) -> PlanReason | None:
    """Why nobody can buy `target` so."""
    if target.status is not Status.PUBLISHED:
        return PlanReason.NOT_SOLD
    return None if plan_price(target, currency, interval) else PlanReason.NO_PRICE


def plan_price(plan: Plan, currency: str, interval: Interval) -> Price | None:
    """The plan's recurring price with exactly this interval."""
    found = price_for(plan.prices, currency, interval)
    return found if found and found.interval == interval else None


def timing(plan: Plan, sold: Price, target: Plan, price: Price) -> Timing:
    """Now, unless the plan gets lower or the interval shorter: what is paid for is kept then.

    Lower: costs less per month, compared at the interval that is wanted where both plans have a
    price for it; for equal prices, what the catalog sorts first.
    Source: product.md §6 (plan upgrade, downgrade, monthly to annual, annual to monthly).
    """
    shorter = _months(price.interval) < _months(sold.interval)
    return Timing.AT_TERM_END if shorter or _is_lower(plan, sold, target, price) else Timing.NOW


def move(held: Held, item: Recurring, change: Change) -> Move:
    """What becomes of one instance, billed as `item`.

    Fewer units that are agreed for its next period are those of a period that starts now.
    Source: product.md §6; upstream-systems.md §2.6.
    """
    fate, price = _fate(held, item, change)
    quantity = item.next_quantity if fate is Fate.SWITCHES else item.quantity
    ends_at = _own_boundary(item, change.effective_at) if fate is Fate.ENDS else item.stops_at
    return Move(held.instance_id, item.name, quantity, fate, price, ends_at)


def _fate(held: Held, item: Recurring, change: Change) -> tuple[Fate, Price | None]:
    own, wanted = item.price, change.price.interval
    later = change.timing is Timing.AT_TERM_END
    if item.stops_at is not None:
        return Fate.CANCELLING, None
    if later and not is_allowed(held.add_on, change.target.lookup_key):
        return Fate.ENDS, None
    if not change.restarts or wanted is None or own.interval == wanted:
        return Fate.CARRIES_ON, own
    offered = price_for(held.add_on.prices, own.currency, wanted)
    fits = offered is not None and offered.interval == wanted
    if fits:
        begun = later or held.starts_at <= change.at
        return (Fate.SWITCHES if begun else Fate.STARTS_SWITCHED), offered
    if not later or (own.interval is not None and own.interval.divides(wanted)):
        return Fate.KEEPS_PERIOD, own
    recurs = offered is not None and offered.is_recurring
    return (Fate.SWITCHES, offered) if recurs else (Fate.ENDS, None)


def _own_boundary(item: Recurring, at: datetime) -> datetime:
    """The first own boundary at or after `at`: nothing ends before what is paid for."""
    at = max(at, item.billed_until)
    period = item.period_at(at)
    return at if period.start == at else period.end


def _is_lower(plan: Plan, sold: Price, target: Plan, price: Price) -> bool:
    now = sold
    if sold.interval != price.interval and price.interval is not None:
        now = plan_price(plan, sold.currency, price.interval) or sold
    was, will = _per_month(now), _per_month(price)
    return target.sort < plan.sort if was == will else will < was


def _per_month(price: Price) -> Fraction:
    return exact_minor(price, Decimal(1)) / _months(price.interval)


def _months(interval: Interval | None) -> Fraction:
    """An interval's length in months of a twelfth of 365 days."""
    if interval is None:
        raise ValueError("a plan's price recurs")
    return interval.months + Fraction(interval.days * 12, 365)
