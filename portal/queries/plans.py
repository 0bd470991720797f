"""The plans an account may change to, why not, and the state that a change depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.arrears import price_for_use
from portal.domain.bills import Bill, BillingState, bills_between, next_bills, next_due
from portal.domain.catalog import (
    Entitlement,
    Feature,
    Plan,
    Price,
    PriceType,
    Status,
    usage_prices_for,
)
from portal.domain.eligibility import covered_by, is_included
from portal.domain.entitlements import Source, SourceKind
from portal.domain.errors import NotFound
from portal.domain.instances import HELD_PHASES
from portal.domain.money import Money
from portal.domain.periods import Anchor, BillingPeriod, Interval
from portal.domain.plan_beginnings import begun
from portal.domain.plan_changes import PlanQuote, Subscribed, changed
from portal.domain.plan_moves import Held, PlanReason, Timing, plan_price, plan_refusal, timing
from portal.domain.pricing import exact_minor
from portal.domain.proration import charge
from portal.queries.accounts import AccountState
from portal.queries.billing import AHEAD, billing_state
from portal.queries.plan_beginnings import beginning_refusal, levels, returning
from portal.queries.stored_lines import stored_lines
from portal.queries.usage import sources_of

YEAR = Interval(BillingPeriod.ANNUAL)


@dataclass(frozen=True, slots=True)
class PlanRefusal:
    """Why an account cannot change to a plan now, or begin it. purchase_id: of what is not paid for
    yet. invoice: the number of one that is open."""

    reason: PlanReason
    purchase_id: int | None = None
    invoice: int | None = None


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A plan at one interval. price, amount: None when it has none.

    saving: whole percent below the same time paid month by month, None without any. timing: when
    a change to it takes effect.
    """

    plan: Plan
    price: Price | None
    amount: Money | None
    saving: int | None
    timing: Timing | None
    refusal: PlanRefusal | None


@dataclass(frozen=True, slots=True)
class Granted:
    """beyond: what more than that costs; None where there is no more."""

    entitlement: Entitlement
    beyond: Price | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What every offered plan grants of one feature; None for nothing."""

    feature: Feature
    granted: tuple[Granted | None, ...]


def offers(state: AccountState, actor: Actor, interval: Interval) -> tuple[PlanOffer, ...]:
    """Every plan that is sold, and the account's own, as the catalog sorts them."""
    return tuple(_offer(state, actor, plan, interval) for plan in _shown(state))


def compared(state: AccountState, interval: Interval) -> tuple[Compared, ...]:
    """The features that any of these plans grants, each at that interval."""
    plans, code = _shown(state), state.account.currency
    prices = [plan_price(plan, code, interval) for plan in plans]
    rows = (
        Compared(feature, tuple(map(partial(_granted, feature), plans, prices)))
        for feature in state.catalog.features
    )
    return tuple(row for row in rows if any(row.granted))


def intervals(state: AccountState) -> tuple[Interval, ...]:
    """Those at which plans are sold in the account's currency, the shortest first."""
    code = state.account.currency
    prices = (p for plan in _shown(state) for p in plan.prices if p.type is PriceType.FIXED)
    found = {p.interval for p in prices if p.currency == code}
    single = [i for i in found if i is not None and i.count == 1]
    return tuple(sorted(single, key=lambda i: (i.months, i.days)))


def get_plan(state: AccountState, lookup_key: str) -> Plan:
    """Raises NotFound for a plan that is not in the catalog, or never was for sale."""
    for plan in state.catalog.plans:
        if plan.lookup_key == lookup_key and plan.status is not Status.DRAFT:
            return plan
    raise NotFound("plan")


@dataclass(frozen=True, slots=True)
class BillsAhead:
    """The next bills once a change is made, and as things are: none of these without a plan.

    changed_year, unchanged_year: all that is charged within 12 months from now, by either.
    """

    changed: tuple[Bill, ...]
    unchanged: tuple[Bill, ...]
    changed_year: Money
    unchanged_year: Money


def bills_ahead(
    session: Session, scope: Scope, state: AccountState, quote: PlanQuote, target: Plan
) -> BillsAhead:
    """What follows the quoted change, or beginning, as the renewal will compute it."""
    if quote.begins:
        then = begun(returning(session, scope, state), quote, target.name)
        ahead, nothing = next_bills(then, state.now, AHEAD).ahead, Money.zero(then.means.currency)
        return BillsAhead(ahead, (), quote.due.charged + _year(state, then, quote.at), nothing)
    by = subscribed(session, scope, state)
    with_it, as_it_is = changed(by, quote, target.name), billing_state(state)
    return BillsAhead(
        changed=next_bills(with_it, state.now, AHEAD).ahead,
        unchanged=next_bills(as_it_is, state.now, AHEAD).ahead,
        changed_year=quote.due.charged + _year(state, with_it, quote.at),
        unchanged_year=_year(state, as_it_is, quote.at),
    )


def _year(state: AccountState, billing: BillingState, at: datetime) -> Money:
    """at: the quote's, a whole second; a bill a year from it is of the next year."""
    end = Anchor(at, state.account.zone).boundary(1, YEAR)
    made = bills_between(billing, state.now, end)
    return sum((each.due.charged for each in made), Money.zero(state.account.currency))


def needless(state: AccountState, target: Plan) -> tuple[str, ...]:
    """Names of the add-ons held that would add nothing to `target`, and renew all the same."""
    covered = covered_by(target)
    found = (i.add_on for i in state.instances if i.phase in HELD_PHASES and i.renews)
    return tuple(dict.fromkeys(each.name for each in found if is_included(each, covered)))


def refusal(
    state: AccountState, actor: Actor, target: Plan, interval: Interval
) -> PlanRefusal | None:
    """Why the account cannot change to `target` now, or begin it, the most telling reason first."""
    subscription = state.subscription
    if subscription is None:
        return _not_to_begin(state, target, interval) or _not_by(actor)
    sold, status = subscription.price, subscription.status
    if reason := plan_refusal(subscription.plan, sold, target, interval, status):
        return PlanRefusal(reason)
    if subscription.cancel_at is not None:
        return PlanRefusal(PlanReason.CANCELLING)
    if _is_agreed(state, target, interval):
        return PlanRefusal(PlanReason.AGREED)
    if state.plan_purchase_id is not None:
        return PlanRefusal(PlanReason.PAYMENT_PENDING, state.plan_purchase_id)
    due_at = next_due(billing_state(state))
    if state.owes or (due_at is not None and due_at <= state.now):
        return PlanRefusal(PlanReason.RENEWING)
    return _not_by(actor)


def subscribed(session: Session, scope: Scope, state: AccountState) -> Subscribed:
    """What a quote is made of, as if no other change were agreed. Raises NotFound."""
    if state.subscription is None:
        raise NotFound("subscription")
    stored = stored_lines(session, scope, state)
    billing = billing_state(replace(state, agreed=None))
    billed = {item.instance_id for item in billing.instances}
    return Subscribed(
        account_id=state.account.id,
        plan=state.subscription.plan,
        cycle=state.subscription.cycle,
        billing=billing,
        stored=tuple(line for line in stored if line.instance_id is None),
        held=tuple(
            Held(
                instance_id=each.id,
                add_on=each.add_on,
                starts_at=each.span.starts_at,
                stored=tuple(line for line in stored if line.instance_id == each.id),
            )
            for each in state.instances
            if each.phase in HELD_PHASES and each.id in billed
        ),
        others=_once_bought(state),
        levels=levels(session, scope, state),
    )


def _shown(state: AccountState) -> tuple[Plan, ...]:
    own = state.subscription.plan.id if state.subscription else None
    plans = [p for p in state.catalog.plans if p.status is Status.PUBLISHED or p.id == own]
    return tuple(sorted(plans, key=lambda plan: (plan.sort, plan.id)))


def _offer(state: AccountState, actor: Actor, plan: Plan, interval: Interval) -> PlanOffer:
    own, price = state.subscription, plan_price(plan, state.account.currency, interval)
    when = timing(own.plan, own.price, plan, price) if own and price else None
    return PlanOffer(
        plan=plan,
        price=price,
        amount=charge(price, Decimal(1), None, state.now) if price else None,
        saving=_saving(plan, price),
        timing=when,
        refusal=refusal(state, actor, plan, interval),
    )


def _saving(plan: Plan, price: Price | None) -> int | None:
    month = plan_price(plan, price.currency, Interval(BillingPeriod.MONTHLY)) if price else None
    if price is None or month is None or price.interval is None or price.interval.months < 2:
        return None
    monthly = exact_minor(month, Decimal(1)) * price.interval.months
    less = round(100 * (1 - exact_minor(price, Decimal(1)) / monthly)) if monthly else 0
    return less if less > 0 else None


def _granted(feature: Feature, plan: Plan, price: Price | None) -> Granted | None:
    given = (e for e in plan.entitlements if e.feature.id == feature.id and e.is_enabled)
    entitlement = next(given, None)
    if entitlement is None:
        return None
    charged = usage_prices_for(plan, price) if price else ()
    return Granted(entitlement, price_for_use(plan, charged, feature))


def _not_to_begin(state: AccountState, target: Plan, interval: Interval) -> PlanRefusal | None:
    if reason := beginning_refusal(state, target, interval):
        return PlanRefusal(reason, invoice=state.former.open_invoice if state.former else None)
    if state.plan_purchase_id is not None:
        return PlanRefusal(PlanReason.PAYMENT_PENDING, state.plan_purchase_id)
    return None


def _not_by(actor: Actor) -> PlanRefusal | None:
    return None if actor.holds(Permission.BILLING_UPDATE) else PlanRefusal(PlanReason.PERMISSION)


def _is_agreed(state: AccountState, target: Plan, interval: Interval) -> bool:
    agreed = state.agreed
    return agreed is not None and (agreed.plan.id, agreed.price.interval) == (target.id, interval)


def _once_bought(state: AccountState) -> tuple[Source, ...]:
    """What one-time purchases grant: the sources without the plan and what renews."""
    lasting = tuple(i for i in state.instances if not i.price.is_recurring)
    if state.subscription is None:
        return ()
    found = sources_of(replace(state, instances=lasting))
    return tuple(source for source in found if source.kind is SourceKind.ADD_ON)
