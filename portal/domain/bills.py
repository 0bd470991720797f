"""What falls due at a boundary: one bill for the plan, the add-ons and the use of one account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice, takewhile

from portal.domain.arrears import Arrear
from portal.domain.lines import (
    Due,
    LineKind,
    Means,
    QuoteLine,
    charge_line,
    closing,
    completed,
    due_for,
    means_after,
    with_tax,
)
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.pricing import exact_minor
from portal.domain.recurring import Recurring
from portal.domain.working import WorkingKind, of_charge


@dataclass(frozen=True, slots=True)
class BillingState:
    """Everything that decides an account's bills from now on.

    ends_at: when the subscription is cancelled; its add-ons end with it. use_due_at: the next
    boundary at which use may be billed, though nothing is beyond the allowance so far.
    """

    means: Means
    plan: Recurring
    instances: tuple[Recurring, ...] = ()
    arrears: tuple[Arrear, ...] = ()
    ends_at: datetime | None = None
    use_due_at: datetime | None = None

    @property
    def billed(self) -> tuple[Recurring, ...]:
        """The plan and the instances, none beyond the end of the subscription."""
        return tuple(each.until(self.ends_at) for each in (self.plan, *self.instances))


@dataclass(frozen=True, slots=True)
class Bill:
    """One invoice to come; `at` is the boundary it belongs to, however late it is made."""

    at: datetime
    lines: tuple[QuoteLine, ...]
    due: Due


@dataclass(frozen=True, slots=True)
class Outlook:
    """today: what is due by now. ahead: the bills after that."""

    today: tuple[Bill, ...]
    ahead: tuple[Bill, ...]


def next_due(state: BillingState) -> datetime | None:
    """When the next bill falls due; None when there is none any more."""
    dues = [each.due_at for each in state.billed if each.due_at is not None]
    dues += [arrear.due_at for arrear in state.arrears]
    if not dues and state.ends_at is not None and closing(state.means):
        return state.ends_at
    return min(dues, default=None)


def next_look(state: BillingState) -> datetime | None:
    """When anything happens to it next: a bill, the end of a month of use, or its end; None when
    nothing does."""
    looks = (next_due(state), state.use_due_at, state.ends_at)
    return min((at for at in looks if at is not None), default=None)


def term_end(state: BillingState, now: datetime) -> datetime:
    """The end of the plan's term that contains `now`: what is due by then counts as billed."""
    while (at := next_due(state)) is not None and at <= now:
        state = after(state, bill(state, at))
    return max(state.plan.billed_until, now)


def bill(state: BillingState, at: datetime) -> Bill:
    """Everything that falls due at `at`. Raises ValueError when nothing does.

    The last one of a subscription that ends asks for what was carried, even alone.
    Source: product.md §6 (renewal); a whole period is billed at exactly its list price (I11).
    """
    due = [each.as_agreed(at) for each in state.billed if each.due_at == at]
    charges = [_period_line(each, at) for each in due]
    charges += [_use_line(arrear, at) for arrear in state.arrears if arrear.due_at == at]
    taxed = [line for each in charges for line in with_tax(each, state.means.tax)]
    lines = completed(taxed, state.means) if charges else closing(state.means)
    if not lines or not (charges or at == state.ends_at):
        raise ValueError("nothing falls due then")
    return Bill(at, lines, due_for(lines, state.means.currency))


def after(state: BillingState, made: Bill) -> BillingState:
    """What there is to bill once `made` is: the next periods, the balance that is left."""
    return replace(
        state,
        means=means_after(state.means, made.lines, made.due),
        plan=_billed(state.plan, made.at, state.ends_at),
        instances=tuple(_billed(each, made.at, state.ends_at) for each in state.instances),
        arrears=tuple(each for each in state.arrears if each.due_at != made.at),
    )


def billed_by(state: BillingState, instance_id: int, at: datetime) -> Recurring:
    """One instance once all of it that falls due by `at` is billed, at the terms agreed for then.

    Raises ValueError when it is not billed each period.
    """
    for each in state.billed:
        if each.instance_id == instance_id:
            return _by(each, at, state.ends_at)
    raise ValueError("it is not billed each period")


def _by(each: Recurring, at: datetime, ends_at: datetime | None) -> Recurring:
    while (due_at := each.until(ends_at).due_at) is not None and due_at <= at:
        each = _billed(each, due_at, ends_at)
    return each


def bills_due(state: BillingState, now: datetime) -> tuple[Bill, ...]:
    """Every bill that falls due by `now`, in order: the same on time and after any delay."""
    made = []
    for one in _series(state):
        if one.at > now:
            break
        made.append(one)
    return tuple(made)


def next_bills(state: BillingState, now: datetime, count: int) -> Outlook:
    """What is due by `now`, and the next `count` bills."""
    today = bills_due(state, now)
    return Outlook(today, tuple(islice(_series(state), len(today), len(today) + count)))


def bills_between(state: BillingState, now: datetime, end: datetime) -> tuple[Bill, ...]:
    """Every bill after `now` and before `end`, in order."""
    coming = takewhile(lambda each: each.at < end, _series(state))
    return tuple(each for each in coming if each.at > now)


def without_renewal(
    state: BillingState, instance_id: int | None, at: datetime | None = None
) -> BillingState:
    """The same with one auto-renew off; None switches the plan's off, and all ends with it.

    at: it stops once all of it that falls due by then is billed; where it has not begun, its start.
    """
    if instance_id is None:
        return replace(state, ends_at=state.plan.billed_until)
    return replace(
        state,
        instances=tuple(
            each.until(_until(state, each, at)) if each.instance_id == instance_id else each
            for each in state.instances
        ),
    )


def _until(state: BillingState, each: Recurring, at: datetime | None) -> datetime:
    return _by(each, at, state.ends_at).billed_until if at else each.billed_until


def resumed(state: BillingState, at: datetime) -> BillingState:
    """A suspended account's state once it has paid: what passed meanwhile is never billed.

    What was not billed is due at once, for the rest of its period from `at`; what was used beyond
    the allowance in full.
    """

    def from_now_on(each: Recurring) -> Recurring:
        if each.billed_until >= at:
            return each
        return replace(each, billed_until=at, resumed=True)

    return replace(
        state,
        plan=from_now_on(state.plan),
        instances=tuple(from_now_on(each) for each in state.instances),
        arrears=tuple(replace(each, due_at=max(each.due_at, at)) for each in state.arrears),
        use_due_at=max(state.use_due_at, at) if state.use_due_at else None,
    )


def _series(state: BillingState) -> Iterator[Bill]:
    while (at := next_due(state)) is not None:
        made = bill(state, at)
        yield made
        state = after(state, made)


def _billed(each: Recurring, at: datetime, ends_at: datetime | None) -> Recurring:
    if each.due_at != at:
        return each
    agreed, stops_at = each.as_agreed(at), each.until(ends_at).stops_at
    until = agreed.due_period(at).end
    return replace(agreed, billed_until=min(until, stops_at or until), resumed=False, cut=False)


def _period_line(each: Recurring, at: datetime) -> QuoteLine:
    """The period that is due at `at` in full, or the part of it that is in force."""
    covered = each.due_period(at)
    whole = each.period_at(at) if each.is_due_within else covered
    stop = min(each.stops_at or covered.end, covered.end)
    share = whole.fraction_left(at) - whole.fraction_left(stop)
    if share == 1:
        line = charge_line(each.name, each.price, each.quantity, None, at, each.instance_id)
        return replace(line, period=covered)
    units = Decimal(each.quantity)
    amount = Money.rounded(exact_minor(each.price, units) * share, each.price.currency)
    working = of_charge(each.price, units, whole, at, amount)
    return QuoteLine(
        kind=LineKind.CHARGE,
        name=each.name,
        quantity=each.quantity,
        amount=amount,
        working=replace(working, left_s=working.left_s - whole.remaining(stop)),
        period=Period(at, stop),
        instance_id=each.instance_id,
    )


def _use_line(arrear: Arrear, at: datetime) -> QuoteLine:
    amount = arrear.amount
    working = of_charge(arrear.price, arrear.units, None, at, amount)
    return QuoteLine(
        kind=LineKind.CHARGE,
        name=arrear.name,
        quantity=1,
        amount=amount,
        working=replace(working, kind=WorkingKind.BEYOND),
        period=arrear.period,
    )
