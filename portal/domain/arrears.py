"""What is used beyond the allowance: what it costs, and when it is billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from portal.domain.catalog import AddOn, Feature, Plan, Price
from portal.domain.money import Money
from portal.domain.periods import Anchor, Period
from portal.domain.proration import charge

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Excess:
    """Units of the quota window that begins at window_start_at which no lot covered.

    price, due_at and id: once it is settled, and only waits for its bill.
    """

    feature: Feature
    window_start_at: datetime
    units: Decimal
    price: Price | None = None
    due_at: datetime | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """Excess at its price."""

    excess: Excess
    window: Period
    price: Price
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Arrear:
    """Use beyond the allowance, billed at due_at: one line, whatever windows it comes from.

    units: as counted. period: of the windows; they may be older than the bill before.
    """

    name: str
    price: Price
    units: Decimal
    period: Period
    due_at: datetime
    parts: tuple[Excess, ...] = ()

    @property
    def amount(self) -> Money:
        """Before tax, rounded once."""
        return charge(self.price, self.units, None, self.due_at)


def boundary(price: Price, anchor: Anchor, at: datetime) -> datetime:
    """The first boundary of the price's own periods at or after `at`.

    Raises ValueError for a price without an interval.
    """
    if price.interval is None:
        raise ValueError("a one-time price has no periods")
    period = anchor.period_at(at, price.interval)
    return at if period.start == at else period.end


def due_after(price: Price, anchor: Anchor, window: Period, billed_until: datetime) -> datetime:
    """When the excess of `window` is billed: with the first boundary that has not been billed."""
    return boundary(price, anchor, max(window.end, billed_until + MOMENT))


def is_closed(price: Price, anchor: Anchor, window: Period, billed_until: datetime) -> bool:
    """Whether the bill of the window's use is made: what comes later is of a later window.

    Source: product.md §4a (events up to 24 h late).
    """
    return boundary(price, anchor, window.end) <= billed_until


def price_for_use(sold: Plan | AddOn, prices: Iterable[Price], feature: Feature) -> Price | None:
    """What is charged for use of `feature` beyond the allowance by a plan or add-on that was sold
    with `prices`; None where nothing, or it lets nobody pass the allowance."""
    is_soft = any(
        each.feature == feature
        and each.is_enabled
        and each.is_soft_limit
        and each.usage_limit is not None
        for each in sold.entitlements
    )
    named = (price for price in prices if price.feature == feature)
    return next(named, None) if is_soft else None


def counted_since(window: Period, apart_until: datetime) -> datetime:
    """When what is not settled of `window` was used, at the earliest; within the window.

    apart_until: what was used by then is settled. Where a price for use begins or ends within a
    window, use so far is set apart before more is counted: the rest is of the time after.
    """
    return min(max(window.start, apart_until), window.end - MOMENT)


@dataclass(frozen=True, slots=True)
class Held:
    """From when to when an add-on charges for use; stops_at: None while it renews."""

    starts_at: datetime
    stops_at: datetime | None = None

    def charges(self, at: datetime) -> bool:
        """Whether it is for what is used at `at`."""
        return self.starts_at <= at and (self.stops_at is None or at < self.stops_at)

    @property
    def edges(self) -> tuple[datetime, ...]:
        """Its start, and its end where it has one."""
        return (self.starts_at,) if self.stops_at is None else (self.starts_at, self.stops_at)


def summed(owed: Iterable[Owed]) -> tuple[Arrear, ...]:
    """One arrear for each price and due date, in their order; without those that come to nothing,
    which wait for more of the same (P2).

    Units are added up before they are priced: no window's excess makes up for another's rest, and
    tiers see all of them. Source: upstream-systems.md §5, E7.
    """
    found: defaultdict[tuple[datetime, int], list[Owed]] = defaultdict(list)
    for each in owed:
        found[each.due_at, each.price.id].append(each)
    arrears = (_arrear(found[key]) for key in sorted(found))
    return tuple(arrear for arrear in arrears if arrear.amount)


def _arrear(owed: list[Owed]) -> Arrear:
    first = owed[0]
    ends_at = max(each.window.end for each in owed)
    return Arrear(
        name=first.excess.feature.name,
        price=first.price,
        units=sum((each.excess.units for each in owed), Decimal(0)),
        period=Period(min(each.window.start for each in owed), min(ends_at, first.due_at)),
        due_at=first.due_at,
        parts=tuple(each.excess for each in owed),
    )
