"""What a change of plan does to what may be used: units that come on top, levels that are over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.domain.capacity import Capacity, CapacityKind, Cycle
from portal.domain.catalog import Entitlement, Feature, Plan
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import window_units
from portal.domain.periods import BillingPeriod, Interval


@dataclass(frozen=True, slots=True)
class Level:
    """How many units of a held feature are occupied now."""

    feature: Feature
    units: Decimal


@dataclass(frozen=True, slots=True)
class Misfit:
    """A held feature that is occupied above the limit to come; nothing is deleted for it."""

    feature: Feature
    level: Decimal
    limit: int


def misfits(
    target: Plan, others: Iterable[Source], levels: Iterable[Level], at: datetime
) -> tuple[Misfit, ...]:
    """What will not fit at `at` under `target` and the other sources.

    Source: product.md §6 (downgrade), §5 (cancel: 12 members, limit becomes 10).
    """
    granted = [Source(SourceKind.PLAN, target.name, each, 1, at) for each in target.entitlements]
    sources = (*granted, *others)
    found = []
    for level in levels:
        limit = resolve(level.feature, sources, at).limit
        if limit is not None and level.units > limit:
            found.append(Misfit(level.feature, level.units, limit))
    return tuple(found)


def raised(plan: Plan | None, target: Plan, cycle: Cycle, at: datetime) -> tuple[Capacity, ...]:
    """The consumed units that a change to `target` at `at` brings on top of the plan's own; None
    for no plan, which has none.

    The difference of the two allowances for the rest of the quota window, rounded up, as for an
    add-on bought in mid-window; nothing is taken away before the window ends.
    Source: product.md §4a, §6 (upgrade now).
    """
    return tuple(
        more
        for each in target.entitlements
        if each.is_enabled and each.feature.is_consumed
        if (more := _raise(each, _allowance(plan, each.feature), cycle, at)) is not None
    )


def gained(plan: Plan, target: Plan) -> tuple[Entitlement, ...]:
    """What `target` grants and `plan` does not, or less of; allowances that are used up apart."""
    own = {each.feature.id: each for each in plan.entitlements if each.is_enabled}
    return tuple(
        each
        for each in target.entitlements
        if each.is_enabled and not each.feature.is_consumed
        if _is_more(each, own.get(each.feature.id))
    )


def _is_more(than: Entitlement, before: Entitlement | None) -> bool:
    if before is None:
        return True
    if before.usage_limit is None:
        return False
    return than.usage_limit is None or than.usage_limit > before.usage_limit


def _allowance(plan: Plan | None, feature: Feature) -> int | None:
    """Units of each window; None = unlimited."""
    if plan is None:
        return 0
    limits = [e.usage_limit for e in plan.entitlements if e.feature == feature and e.is_enabled]
    return None if None in limits else sum(limit for limit in limits if limit is not None)


def _raise(to: Entitlement, before: int | None, cycle: Cycle, at: datetime) -> Capacity | None:
    window = cycle.quota_window(at, Interval(to.usage_reset_period or BillingPeriod.MONTHLY))
    if before is None or to.usage_limit == before:
        return None
    if to.usage_limit is None:
        return Capacity(CapacityKind.LOT, to.feature, None, window.end, entitlement=to)
    if to.usage_limit < before:
        return None
    units = Decimal(window_units(to.usage_limit - before, 1, window.fraction_left(at)))
    then = Decimal(to.usage_limit)
    return Capacity(CapacityKind.LOT, to.feature, units, window.end, then, entitlement=to)
