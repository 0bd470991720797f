"""What a purchase brings and until when: lots for what is consumed, levels for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portal.domain.catalog import (
    AddOn,
    BillingCadence,
    CapacityEnds,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Feature,
    FeatureType,
    Price,
)
from portal.domain.grants import credit_units, window_units
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period

MONTH = Interval(BillingPeriod.MONTHLY)


@dataclass(frozen=True, slots=True)
class Cycle:
    """The clocks of one subscription: its billing cycle and its quota windows."""

    interval: Interval
    billing_anchor: Anchor
    quota_anchor: Anchor

    def billing_period(self, at: datetime) -> Period:
        return self.billing_anchor.period_at(at, self.interval)

    def quota_window(self, at: datetime, interval: Interval = MONTH) -> Period:
        return self.quota_anchor.period_at(at, interval)

    def period_of(self, price: Price, at: datetime) -> Period | None:
        """The price's own current window, aligned with the plan; None for a one-time price.

        Source: product.md §4: a monthly add-on on an annual plan pays for the rest of the month.
        """
        return self.billing_anchor.period_at(at, price.interval) if price.interval else None


class CapacityKind(StrEnum):
    """LOT: units that are used up. LEVEL: a limit that rises. FEATURE: something unlocked."""

    LOT = "lot"
    LEVEL = "level"
    FEATURE = "feature"


@dataclass(frozen=True, slots=True)
class Capacity:
    """units: None = unlimited, or not counted (FEATURE). until: exclusive, None = open end.

    then_units: what each later quota window brings, for a recurring lot.
    """

    kind: CapacityKind
    feature: Feature
    units: Decimal | None
    until: datetime | None
    then_units: Decimal | None = None
    credit_grant: CreditGrant | None = None
    entitlement: Entitlement | None = None


def ends_at(price: Price, cycle: Cycle, at: datetime) -> datetime | None:
    """When what a one-time price bought at `at` ends; None for never and for recurring prices."""
    match price.capacity_ends:
        case CapacityEnds.WINDOW:
            return cycle.quota_window(at).end
        case CapacityEnds.CYCLE:
            return cycle.billing_period(at).end
        case CapacityEnds.DURATION if price.capacity_duration:
            return at + price.capacity_duration
        case _:
            return None


def brought_by(
    add_on: AddOn,
    price: Price,
    quantity: int,
    cycle: Cycle,
    at: datetime,
    cancel_at: datetime | None,
) -> tuple[Capacity, ...]:
    """Everything `quantity` units of the add-on bring when bought at `at`.

    Source: product.md §4a (consumed features are lots only; a recurring instance bought
    mid-window brings units in proportion to what is paid).
    """
    entitled = [
        _entitled(e, price, quantity, cycle, at, cancel_at)
        for e in add_on.entitlements
        if e.is_enabled
    ]
    credited = [_credited(g, quantity, cycle, price, at, cancel_at) for g in add_on.credit_grants]
    return (*entitled, *credited)


def _entitled(
    e: Entitlement,
    price: Price,
    quantity: int,
    cycle: Cycle,
    at: datetime,
    cancel_at: datetime | None,
) -> Capacity:
    limit = None if e.usage_limit is None else Decimal(e.usage_limit * quantity)
    stop = ends_at(price, cycle, at) or cancel_at
    if e.feature.type is not FeatureType.METERED:
        return Capacity(CapacityKind.FEATURE, e.feature, None, stop, entitlement=e)
    if not e.feature.is_consumed:
        return Capacity(CapacityKind.LEVEL, e.feature, limit, stop, entitlement=e)
    if not price.is_recurring or e.usage_limit is None:
        return Capacity(CapacityKind.LOT, e.feature, limit, stop, entitlement=e)
    window = cycle.quota_window(at, Interval(e.usage_reset_period or BillingPeriod.MONTHLY))
    units = Decimal(window_units(e.usage_limit, quantity, window.fraction_left(at)))
    if cancel_at and cancel_at <= window.end:
        return Capacity(CapacityKind.LOT, e.feature, units, cancel_at, entitlement=e)
    return Capacity(CapacityKind.LOT, e.feature, units, window.end, limit, entitlement=e)


def _credited(
    g: CreditGrant,
    quantity: int,
    cycle: Cycle,
    price: Price,
    at: datetime,
    cancel_at: datetime | None,
) -> Capacity:
    whole, until = g.credits * quantity, expiry_of(g, cycle, at)
    period = grant_period(g, price, cycle, at, at)
    if period is None:
        return Capacity(CapacityKind.LOT, g.feature, whole, until, credit_grant=g)
    units = credit_units(g.credits, quantity, period.fraction_left(at))
    then = None if cancel_at and cancel_at <= period.end else whole
    return Capacity(CapacityKind.LOT, g.feature, units, until, then, credit_grant=g)


def grant_period(
    g: CreditGrant, price: Price, cycle: Cycle, since: datetime, at: datetime
) -> Period | None:
    """The period of a recurring grant that contains `at`; None for a grant that comes once.

    A grant with the price's own period follows the price; another is anchored at `since`, when
    what brings it was attached. Source: C1, C5 and C6.
    """
    if g.cadence is BillingCadence.ONETIME or price.interval is None:
        return None
    if g.period is None or Interval(g.period) == price.interval:
        return cycle.period_of(price, at)
    return Anchor(since, cycle.billing_anchor.zone).period_at(at, Interval(g.period))


def expiry_of(g: CreditGrant, cycle: Cycle, at: datetime) -> datetime | None:
    """When credits granted at `at` expire; None for never."""
    match g.expiration_type:
        case ExpirationType.BILLING_CYCLE:
            return cycle.billing_period(at).end
        case ExpirationType.DURATION if g.duration:
            return at + g.duration
        case _:
            return None
