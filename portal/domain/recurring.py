"""What is billed every period: the plan, and each instance of a recurring add-on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal.domain.catalog import Price
from portal.domain.periods import Anchor, Period

ZONE_SHIFT = timedelta(hours=26)
"""How far a change of the account's zone can move a boundary."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed from the first own boundary at or after `since`; None leaves it as it is.

    instead_of: the price that must be paid still for these terms to bind.
    """

    since: datetime
    name: str | None = None
    price: Price | None = None
    quantity: int | None = None
    instead_of: Price | None = None


@dataclass(frozen=True, slots=True)
class Recurring:
    """The plan, or an instance of an add-on, as bills see it; its price has an interval.

    billed_until: the end of what was billed, and so when it is due next; where nothing was, its
    start. stops_at: it is billed up to there. agreed: in the order in which it applies. resumed:
    only the rest of a period is due next. cut: what was billed is known to stop at the end of the
    plan, within a period. instance_id: None for the plan.
    """

    name: str
    price: Price
    anchor: Anchor
    billed_until: datetime
    quantity: int = 1
    instance_id: int | None = None
    stops_at: datetime | None = None
    agreed: tuple[Terms, ...] = ()
    resumed: bool = False
    cut: bool = False

    @property
    def is_due_within(self) -> bool:
        """Whether only the rest of a period is due next: after a suspension, or where the last bill
        stopped at the end of a plan that was kept after all."""
        return self.resumed or self._is_cut

    @property
    def _is_cut(self) -> bool:
        """Whether what was billed stops within a period; unless that is known, further from its
        boundaries than a change of the account's zone moves them."""
        period, at = self.period_at(self.billed_until), self.billed_until
        return self.cut or min(at - period.start, period.end - at) > ZONE_SHIFT

    @property
    def due_at(self) -> datetime | None:
        """When it is billed next; None when it ends before."""
        over = self.stops_at is not None and self.stops_at <= self.billed_until
        return None if over else self.billed_until

    def period_at(self, at: datetime) -> Period:
        """Its own period that contains `at`. Raises ValueError for a one-time price."""
        if self.price.interval is None:
            raise ValueError("a one-time price has no periods")
        return self.anchor.period_at(at, self.price.interval)

    def due_period(self, at: datetime) -> Period:
        """What is billed at `at`: up to the next boundary.

        A boundary that a change of the account's zone moved by some hours makes no period of
        those hours. Source: product.md §4 (anchors).
        """
        period = self.period_at(at)
        if not self.is_due_within and 2 * period.remaining(at) < period.length:
            period = self.period_at(period.end)
        return Period(at, period.end)

    def paid_period(self, at: datetime) -> Period:
        """The period that contains `at`, up to where it was billed.

        Raises ValueError when it is not paid for: what is due is billed first.
        """
        if self.billed_until <= at:
            raise ValueError("what is due is billed first")
        period = self.period_at(at)
        paid = Period(period.start, self.billed_until)
        if not self._is_cut and 2 * paid.length < period.length:
            before = self.period_at(period.start - timedelta(seconds=1))
            paid = Period(before.start, self.billed_until)
        return paid

    def priced_period(self, at: datetime) -> Period:
        """The period that the price is for at `at`: longer than what is paid of it, where a bill
        stopped at the end of a plan. Raises as `paid_period` does."""
        paid = self.paid_period(at)
        return self.period_at(at) if self._is_cut else paid

    def until(self, stops_at: datetime | None) -> Recurring:
        """The same, ended at `stops_at` unless it ends earlier."""
        ends = [end for end in (self.stops_at, stops_at) if end is not None]
        return replace(self, stops_at=min(ends, default=None))

    @property
    def next_quantity(self) -> int:
        """The quantity of its next period, as agreed so far."""
        agreed = [terms.quantity for terms in self.agreed if terms.quantity is not None]
        return agreed[-1] if agreed else self.quantity

    def as_agreed(self, at: datetime) -> Recurring:
        """What it is from its boundary `at` on.

        The anchor moves to `at` only where `at` is no boundary of the new interval.
        """
        then = self
        for terms in self.agreed:
            if terms.since <= at and terms.instead_of in (None, then.price):
                then = replace(
                    then,
                    name=terms.name or then.name,
                    price=terms.price or then.price,
                    quantity=terms.quantity or then.quantity,
                )
        if then.period_at(at).start != at and then.price.interval != self.price.interval:
            then = replace(then, anchor=replace(self.anchor, at=at))
        return replace(then, agreed=tuple(t for t in self.agreed if t.since > at))
