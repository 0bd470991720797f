"""What a paid time brings of units that are used up, and how much of it has been used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from portal.domain.capacity import Cycle, grant_period
from portal.domain.catalog import CreditGrant, Entitlement, Feature, Price
from portal.domain.grants import window_units
from portal.domain.periods import BillingPeriod, Interval, Period


@dataclass(frozen=True, slots=True)
class Supply:
    """Units of one feature: all that a paid time brings, above zero, and what of them is used."""

    feature: Feature
    brought: Decimal
    used: Decimal

    @property
    def left(self) -> Fraction:
        """The share that is not used, within [0, 1]."""
        return 1 - Fraction(self.used) / Fraction(self.brought)


def most_used(brought: Mapping[Feature, Decimal], used: Mapping[int, Decimal]) -> Supply | None:
    """Of the feature whose share is the largest; None where nothing is used.

    used: by the feature's id. More than was brought is all of it, and no more.
    """
    supplies = [
        Supply(feature, units, min(used[feature.id], units))
        for feature, units in brought.items()
        if units > 0 and used.get(feature.id, 0) > 0
    ]
    return min(supplies, key=lambda each: each.left, default=None)


def units_of_windows(
    entitlements: Iterable[Entitlement], quantity: int, cycle: Cycle, paid: Period
) -> Iterator[tuple[Feature, Decimal]]:
    """What the quota windows in `paid` bring; of a window that is in it in part, that part, up to
    a whole unit as it is sold. Source: product.md §4a; ADR 0029."""
    for each in entitlements:
        if each.is_enabled and each.feature.is_consumed and each.usage_limit:
            interval = Interval(each.usage_reset_period or BillingPeriod.MONTHLY)
            shares = _shares(cycle, interval, paid)
            units = sum(window_units(each.usage_limit, quantity, share) for share in shares)
            yield each.feature, Decimal(units)


def credits_to_come(
    grants: Iterable[CreditGrant], quantity: int, price: Price, cycle: Cycle, since: datetime,
    ahead: Period,
) -> Iterator[tuple[Feature, Decimal]]:  # fmt: skip
    """What recurring grants bring in their periods that begin in `ahead`, after its start.

    since: when what brings them was attached.
    """
    for grant in grants:
        period = grant_period(grant, price, cycle, since, ahead.start)
        while period is not None and period.end < ahead.end:
            yield grant.feature, grant.credits * quantity
            period = grant_period(grant, price, cycle, since, period.end)


def _shares(cycle: Cycle, interval: Interval, paid: Period) -> Iterator[Fraction]:
    """How much of each window is in `paid`."""
    at = paid.start
    while at < paid.end:
        window = cycle.quota_window(at, interval)
        yield window.fraction_left(at) - window.fraction_left(min(window.end, paid.end))
        at = window.end
