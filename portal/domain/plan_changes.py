"""The quote of a change of plan or interval, and what is billed once it is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.bills import BillingState
from portal.domain.capacity import Capacity, Cycle
from portal.domain.catalog import Plan, Price, usage_prices_for
from portal.domain.credits import StoredLine, credit_lines
from portal.domain.entitlements import Source, SourceKind
from portal.domain.lines import (
    Due,
    QuoteLine,
    charge_line,
    completed,
    due_for,
    means_after,
    with_tax,
)
from portal.domain.periods import Anchor, BillingNow, Interval, Period
from portal.domain.plan_limits import Level, Misfit, misfits, raised
from portal.domain.plan_moves import Change, Fate, Held, Move, Timing, move, plan_price, timing
from portal.domain.quotes import GoingForward, digest_of, expiry_of_quote
from portal.domain.recurring import Recurring, Terms
from portal.domain.taxes import Tax, tax_on


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the customer asks for."""

    plan: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The account's state that a change of plan depends on, as if no other change were agreed.

    billing: what is billed from now on, nothing of it overdue. stored: charge lines of the plan
    whose period is not over. others: what one-time purchases grant. levels: of held features.
    """

    account_id: int
    plan: Plan
    cycle: Cycle
    billing: BillingState
    stored: tuple[StoredLine, ...] = ()
    held: tuple[Held, ...] = ()
    others: tuple[Source, ...] = ()
    levels: tuple[Level, ...] = ()

    def item_of(self, held: Held) -> Recurring:
        """How a held instance is billed. Raises ValueError when it is not."""
        for item in self.billing.instances:
            if item.instance_id == held.instance_id:
                return item
        raise ValueError("a held instance is billed")


@dataclass(frozen=True, slots=True)
class PlanQuote:
    """Everything the page of a plan change says about money, dates and add-ons.

    from_price: None where a plan begins after another has ended, which from_plan names then. due:
    charged now, carried to the next bill, or credited to the balance. raised: the units that come
    on top in this quota window. usage_prices: what use beyond the allowance will cost.
    """

    request: PlanRequest
    account_id: int
    from_plan: str
    from_price: Price | None
    price: Price
    timing: Timing
    at: datetime
    effective_at: datetime
    expires_at: datetime
    lines: tuple[QuoteLine, ...]
    due: Due
    moves: tuple[Move, ...]
    misfits: tuple[Misfit, ...]
    raised: tuple[Capacity, ...]
    usage_prices: tuple[Price, ...]
    going_forward: GoingForward

    @property
    def begins(self) -> bool:
        """Whether nothing runs that the plan takes the place of."""
        return self.from_price is None

    @property
    def digest(self) -> str:
        return digest_of(self)


def quote_plan_change(
    subscribed: Subscribed, target: Plan, request: PlanRequest, at: BillingNow
) -> PlanQuote:
    """Price a change to `target` at the whole second `at`.

    Raises ValueError without a price, and while something of the plan is due; ask
    `plan_moves.plan_refusal` first.
    Source: product.md §6; P16-P24, P27.
    """
    change = _change(subscribed, target, request, at)
    moves = tuple(move(held, subscribed.item_of(held), change) for held in subscribed.held)
    means = subscribed.billing.means
    now = change.timing is Timing.NOW
    lines = completed(_lines(subscribed, change, moves), means) if now else ()
    return PlanQuote(
        request=request,
        account_id=subscribed.account_id,
        from_plan=subscribed.plan.lookup_key,
        from_price=change.sold,
        price=change.price,
        timing=change.timing,
        at=at,
        effective_at=change.effective_at,
        expires_at=_expires_at(subscribed, at),
        lines=lines,
        due=due_for(lines, means.currency),
        moves=moves,
        misfits=_misfits(subscribed, change, moves),
        raised=raised(subscribed.plan, target, subscribed.cycle, at) if now else (),
        usage_prices=usage_prices_for(target, change.price),
        going_forward=_going_forward(subscribed, change),
    )


def changed(subscribed: Subscribed, accepted: PlanQuote, name: str) -> BillingState:
    """What is billed once the change is accepted; `name` is the new plan's.

    A change now is settled; one at the end of the term is agreed for then.
    """
    state = subscribed.billing
    moves = {each.instance_id: each for each in accepted.moves}
    terms = Terms(accepted.effective_at, name, accepted.price)
    instances = tuple(_moved(each, moves, accepted) for each in state.instances)
    if accepted.timing is Timing.AT_TERM_END:
        return replace(state, plan=replace(state.plan, agreed=(terms,)), instances=instances)
    return replace(
        state,
        means=means_after(state.means, accepted.lines, accepted.due),
        plan=_from_now_on(state.plan, terms, accepted),
        instances=instances,
    )


def exchange(
    stored: Iterable[StoredLine], new: Iterable[QuoteLine], at: datetime, tax: Tax
) -> tuple[QuoteLine, ...]:
    """The unused part of stored lines against new charges, with the tax of each."""
    credited = [line for each in stored for line in credit_lines(each, at)]
    charged = [line for each in new for line in with_tax(each, tax)]
    return (*credited, *charged)


def _change(subscribed: Subscribed, target: Plan, request: PlanRequest, at: datetime) -> Change:
    sold = subscribed.billing.plan.price
    price = plan_price(target, sold.currency, request.interval)
    if price is None:
        raise ValueError("no price to change to")
    period = subscribed.billing.plan.paid_period(at)
    when = timing(subscribed.plan, sold, target, price)
    effective_at = at if when is Timing.NOW else period.end
    return Change(sold, period, target, price, when, at, effective_at)


def _lines(
    subscribed: Subscribed, change: Change, moves: tuple[Move, ...]
) -> tuple[QuoteLine, ...]:
    """The plan's two lines, then those of each add-on that moves with it."""
    tax, at = subscribed.billing.means.tax, change.at
    new = _new_line(change.target.name, change.price, 1, subscribed, change)
    lines = [*exchange(subscribed.stored, (new,), at, tax)]
    for held, each in zip(subscribed.held, moves, strict=True):
        if each.fate is Fate.SWITCHES and each.price is not None:
            renewed = _new_line(
                each.name, each.price, each.quantity, subscribed, change, each.instance_id
            )
            lines += exchange(held.stored, (renewed,), at, tax)
    return tuple(lines)


def _new_line(
    name: str,
    price: Price,
    quantity: int,
    subscribed: Subscribed,
    change: Change,
    instance_id: int | None = None,
) -> QuoteLine:
    """A whole period from now when the interval changes, else the rest of the running one."""
    if not change.restarts:
        return charge_line(name, price, quantity, change.period, change.at, instance_id)
    whole = charge_line(name, price, quantity, None, change.at, instance_id)
    return replace(whole, period=_restarted(price, subscribed.billing.plan, change.at))


def _restarted(price: Price, plan: Recurring, at: datetime) -> Period:
    return replace(plan, price=price, anchor=Anchor(at, plan.anchor.zone)).period_at(at)


def _expires_at(subscribed: Subscribed, at: datetime) -> datetime:
    """As for a purchase; every boundary of the account's changes what the page says."""
    items = (subscribed.billing.plan, *subscribed.billing.instances)
    ends = [item.billed_until for item in items if item.billed_until > at]
    return expiry_of_quote(at, subscribed.cycle.quota_window(at).end, *ends)


def _misfits(subscribed: Subscribed, change: Change, moves: tuple[Move, ...]) -> tuple[Misfit, ...]:
    kept = [
        Source(
            SourceKind.ADD_ON, each.name, entitlement, each.quantity, held.starts_at, each.ends_at
        )
        for held, each in zip(subscribed.held, moves, strict=True)
        for entitlement in held.add_on.entitlements
    ]
    sources = (*kept, *subscribed.others)
    return misfits(change.target, sources, subscribed.levels, change.effective_at)


def _going_forward(subscribed: Subscribed, change: Change) -> GoingForward:
    """The plan's own price; the add-ons are on the bills to come."""
    line = charge_line(change.target.name, change.price, 1, None, change.at)
    next_at = change.period.end
    if change.timing is Timing.NOW and change.restarts:
        next_at = _restarted(change.price, subscribed.billing.plan, change.at).end
    interval = change.price.interval
    if interval is None:
        raise ValueError("a plan's price recurs")
    tax = tax_on(subscribed.billing.means.tax, line.amount)
    return GoingForward(line.amount, tax, interval, next_at)


def _moved(each: Recurring, moves: dict[int, Move], accepted: PlanQuote) -> Recurring:
    found = moves.get(each.instance_id) if each.instance_id is not None else None
    if found is None:
        return each
    if found.fate is Fate.ENDS:
        return each.until(found.ends_at)
    if found.fate is Fate.STARTS_SWITCHED and found.price is not None:
        starts = Anchor(each.billed_until, each.anchor.zone)
        return replace(each, price=found.price, anchor=starts, agreed=())
    if found.fate is not Fate.SWITCHES or found.price is None:
        return each
    if accepted.timing is Timing.AT_TERM_END:
        terms = Terms(accepted.effective_at, price=found.price)
        return replace(each, agreed=(*each.agreed, terms))
    terms = Terms(accepted.at, each.name, found.price, found.quantity)
    return _from_now_on(each, terms, accepted)


def _from_now_on(each: Recurring, terms: Terms, accepted: PlanQuote) -> Recurring:
    """Billed at `terms` from now; a new interval starts a new period."""
    restarts = terms.price is not None and terms.price.interval != each.price.interval
    anchor = Anchor(accepted.at, each.anchor.zone) if restarts else each.anchor
    new = replace(each, anchor=anchor, agreed=(terms,)).as_agreed(accepted.at)
    until = new.period_at(accepted.at).end if restarts else each.billed_until
    return replace(new, billed_until=until)
