"""Moving those who pay an old price to a new one: which may, from when on, and when it is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from portal.domain.catalog import Feature, Price
from portal.domain.money import Money
from portal.domain.periods import Interval
from portal.domain.price_notices import PriceChanging, PriceStays, UsePriceChanging, UsePriceStays
from portal.domain.proration import charge
from portal.domain.recurring import Recurring, Terms
from portal.domain.taxes import Tax, taxed

LEAST_NOTICE = timedelta(days=7)
LONG_BEFORE = timedelta(days=30)
"""A notice counts when it is given between these two. Source: peers.md §4b (California)."""

REMINDED = timedelta(days=14)
"""How long before the change it is said again where the first word came long before."""


class Mismatch(StrEnum):
    """Why nobody can be moved from one price to another."""

    SAME = "same"
    CURRENCY = "currency"
    INTERVAL = "interval"
    ONETIME = "onetime"
    TYPE = "type"
    FEATURE = "feature"
    INVOICE_CADENCE = "invoice_cadence"


@dataclass(frozen=True, slots=True)
class PriceChange:
    """From effective_at, a boundary of its own, `new` instead of `old`; instance_id: None for the
    plan. announced_at: when its members were told. feature: whose use it is the price of."""

    id: int
    instance_id: int | None
    old: Price
    new: Price
    announced_at: datetime
    effective_at: datetime

    @property
    def feature(self) -> Feature | None:
        return self.new.feature

    @property
    def terms(self) -> Terms:
        """Binding only for who still pays `old` then: what was agreed on since goes first."""
        return Terms(self.effective_at, price=self.new, instead_of=self.old)

    @property
    def reminded_at(self) -> datetime | None:
        """When it is said a second time; None where the first word was not long before."""
        early = self.effective_at - self.announced_at > LONG_BEFORE
        return self.effective_at - REMINDED if early else None


@dataclass(frozen=True, slots=True)
class PriceAhead:
    """A change that will come as things are. name: of the plan or add-on. before, after: for one
    `interval` of all units, before tax; a price for use is said for each unit instead."""

    change: PriceChange
    name: str
    quantity: int
    interval: Interval

    @property
    def before(self) -> Money:
        return self._cost(self.change.old)

    @property
    def after(self) -> Money:
        return self._cost(self.change.new)

    def _cost(self, price: Price) -> Money:
        return charge(price, Decimal(self.quantity), None, self.change.effective_at)


def mismatches(old: Price, new: Price) -> tuple[Mismatch, ...]:
    """Everything that keeps holders of `old` from being moved to `new`."""
    bare = replace(old, id=0, lookup_key=new.lookup_key)
    found = {
        Mismatch.SAME: bare == replace(new, id=0),
        Mismatch.CURRENCY: old.currency != new.currency,
        Mismatch.INTERVAL: old.interval != new.interval,
        Mismatch.ONETIME: not (old.is_recurring and new.is_recurring),
        Mismatch.TYPE: old.type is not new.type,
        Mismatch.FEATURE: None not in (old.feature, new.feature) and old.feature != new.feature,
        Mismatch.INVOICE_CADENCE: old.invoice_cadence is not new.invoice_cadence,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def first_boundary(item: Recurring, at: datetime) -> datetime | None:
    """The first own boundary at or after `at`; None for what ends by then."""
    boundary = item.billed_until
    if boundary < at:
        period = item.period_at(at)
        boundary = at if period.start == at else period.end
    over = item.stops_at is not None and item.stops_at <= boundary
    return None if over else boundary


def price_before(item: Recurring, boundary: datetime) -> Price:
    """What the period that ends at `boundary` costs, by what is agreed so far."""
    earlier = tuple(terms for terms in item.agreed if terms.since < boundary)
    return replace(item, agreed=earlier).as_agreed(boundary).price


def with_change(item: Recurring, change: PriceChange) -> Recurring:
    """The same with `change`, in place of those for its boundary and later."""
    kept = tuple(t for t in item.agreed if t.instead_of is None or t.since < change.effective_at)
    return replace(item, agreed=in_order((*kept, change.terms)))


def in_order(terms: Iterable[Terms]) -> tuple[Terms, ...]:
    """As they apply: of one boundary's, what was announced before what was agreed on."""
    return tuple(sorted(terms, key=lambda each: (each.since, each.instead_of is None)))


def ahead(item: Recurring, change: PriceChange) -> PriceAhead | None:
    """What `change` will mean for `item`; None when it never comes about."""
    at, interval = change.effective_at, change.new.interval
    then, over = item.as_agreed(at), item.stops_at is not None and item.stops_at <= at
    if over or then.price != change.new or interval is None:
        return None
    return PriceAhead(change, then.name, then.quantity, interval)


def told(ahead: PriceAhead, tax: Tax, *, reminder: bool) -> PriceChanging | UsePriceChanging:
    """What the account's members are told of it."""
    change = ahead.change
    if change.feature is not None:
        return UsePriceChanging(
            change_id=change.id,
            instance_id=change.instance_id,
            name=ahead.name,
            before=change.old,
            after=change.new,
            changes_at=change.effective_at,
            reminder=reminder,
        )
    return PriceChanging(
        change_id=change.id,
        instance_id=change.instance_id,
        name=ahead.name,
        quantity=ahead.quantity,
        before=taxed(tax, ahead.before),
        after=taxed(tax, ahead.after),
        interval=ahead.interval,
        changes_at=change.effective_at,
        reminder=reminder,
    )


def told_off(ahead: PriceAhead, tax: Tax) -> PriceStays | UsePriceStays:
    """What they are told when it is called off."""
    change = ahead.change
    if change.feature is not None:
        return UsePriceStays(change.id, ahead.name, change.old, change.effective_at)
    return PriceStays(
        change_id=change.id,
        name=ahead.name,
        quantity=ahead.quantity,
        price=taxed(tax, ahead.before),
        interval=ahead.interval,
        changes_at=change.effective_at,
    )


def price_at(
    changes: Iterable[PriceChange], instance_id: int | None, price: Price, at: datetime
) -> Price:
    """What a period that begins at `at` costs whoever pays `price` now; changes: in order."""
    for change in changes:
        here = change.instance_id == instance_id and change.effective_at <= at
        if here and change.old == price:
            price = change.new
    return price
