"""Whether a subscription may buy an add-on: one reason why not, and one way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.domain.catalog import AddOn, FeatureType, Plan, Status, price_for
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import BillingPeriod, Interval


class Reason(StrEnum):
    NOT_SOLD = "not_sold"
    OWNED = "owned"
    CANCELLING = "cancelling"
    PAYMENT_PENDING = "payment_pending"
    INCLUDED = "included"
    PLAN = "plan"
    CURRENCY = "currency"
    BILLING_PERIOD = "billing_period"
    RESET_PERIOD = "reset_period"
    MOST_HELD = "most_held"
    NO_SUBSCRIPTION = "no_subscription"
    TRIALING = "trialing"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    TERM_OVER = "term_over"
    RENEWING = "renewing"
    PERMISSION = "permission"


class WayOut(StrEnum):
    MANAGE = "manage"
    KEEP = "keep"
    CONTACT = "contact"
    INVOICES = "invoices"
    ASK_OWNER = "ask_owner"
    PAYMENT = "payment"
    PLANS = "plans"
    WAIT = "wait"


_WAYS_OUT: dict[Reason, WayOut] = {
    Reason.NOT_SOLD: WayOut.CONTACT,
    Reason.OWNED: WayOut.MANAGE,
    Reason.CANCELLING: WayOut.KEEP,
    Reason.PAYMENT_PENDING: WayOut.PAYMENT,
    Reason.INCLUDED: WayOut.MANAGE,
    Reason.PLAN: WayOut.PLANS,
    Reason.CURRENCY: WayOut.CONTACT,
    Reason.BILLING_PERIOD: WayOut.PLANS,
    Reason.RESET_PERIOD: WayOut.CONTACT,
    Reason.MOST_HELD: WayOut.MANAGE,
    Reason.NO_SUBSCRIPTION: WayOut.PLANS,
    Reason.TRIALING: WayOut.PLANS,
    Reason.PAST_DUE: WayOut.INVOICES,
    Reason.SUSPENDED: WayOut.INVOICES,
    Reason.TERM_OVER: WayOut.CONTACT,
    Reason.RENEWING: WayOut.WAIT,
    Reason.PERMISSION: WayOut.ASK_OWNER,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """instance_id: the held instance that stands in the way, for Manage and Keep.

    purchase_id: the one whose payment has no end yet.
    """

    reason: Reason
    instance_id: int | None = None
    purchase_id: int | None = None

    @property
    def way_out(self) -> WayOut:
        return _WAYS_OUT[self.reason]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a subscription has of one add-on; units are quantities, not rows.

    cancelling_id: an instance that ends at a boundary and can still be kept.
    pending_purchase_id: of units that are not paid for yet.
    """

    units: int = 0
    pending_units: int = 0
    instance_id: int | None = None
    cancelling_id: int | None = None
    pending_purchase_id: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The subscription as eligibility sees it.

    covered: lookup keys of the features to which the plan leaves nothing to add.
    reset_periods: reset period in force for each consumed feature's lookup key. term_is_over: the
    plan is cancelled, and only what is paid for longer goes on. is_renewing: another plan has come,
    whose renewal has not run: until then it is not said what a period costs.
    """

    status: SubscriptionStatus | None
    plan_key: str
    plan_interval: Interval
    currency: str
    covered: frozenset[str]
    reset_periods: dict[str, BillingPeriod]
    may_update: bool
    term_is_over: bool = False
    is_renewing: bool = False


_BLOCKED = {
    SubscriptionStatus.TRIALING: Reason.TRIALING,
    SubscriptionStatus.PAST_DUE: Reason.PAST_DUE,
    SubscriptionStatus.SUSPENDED: Reason.SUSPENDED,
    SubscriptionStatus.CANCELLED: Reason.NO_SUBSCRIPTION,
}


def refusal(add_on: AddOn, standing: Standing, holding: Holding) -> Refusal | None:
    """Why `add_on` cannot be bought now, the most telling reason first; None when it can.

    Source: product.md §5 (grid) and §6; upstream-systems.md §7 item 7.
    """
    reason = (
        _held(add_on, holding)
        or (Reason.RENEWING if standing.is_renewing else None)
        or _not_for_this_plan(add_on, standing)
        or _not_now(standing)
        or (None if standing.may_update else Reason.PERMISSION)
    )
    if reason is None:
        return None
    if reason is Reason.PAYMENT_PENDING:
        return Refusal(reason, purchase_id=holding.pending_purchase_id)
    standing_in_the_way = (
        holding.cancelling_id if reason is Reason.CANCELLING else holding.instance_id
    )
    return Refusal(reason, standing_in_the_way)


def units_left(add_on: AddOn, holding: Holding) -> int | None:
    """How many more units may be bought; None = any number."""
    most = add_on.most_units
    return None if most is None else max(most - holding.units - holding.pending_units, 0)


def _held(add_on: AddOn, holding: Holding) -> Reason | None:
    if add_on.status is not Status.PUBLISHED:
        return Reason.NOT_SOLD
    if units_left(add_on, holding) != 0:
        return None
    if add_on.most_units == 1 and holding.cancelling_id is not None:
        return Reason.CANCELLING
    if holding.units:
        return Reason.OWNED if add_on.most_units == 1 else Reason.MOST_HELD
    return Reason.PAYMENT_PENDING if holding.pending_units else Reason.NOT_SOLD


def covered_by(plan: Plan) -> frozenset[str]:
    """Lookup keys of the features to which nothing can be added: those it has, or without limit."""
    return frozenset(
        e.feature.lookup_key
        for e in plan.entitlements
        if e.is_enabled
        if e.feature.type is FeatureType.BOOLEAN
        or (e.feature.type is FeatureType.METERED and e.usage_limit is None)
    )


def is_included(add_on: AddOn, covered: frozenset[str]) -> bool:
    """Whether an add-on would add nothing to a plan that covers these features."""
    granted = [e.feature.lookup_key for e in add_on.entitlements if e.is_enabled]
    return bool(granted) and covered.issuperset(granted) and not add_on.credit_grants


def is_allowed(add_on: AddOn, plan_key: str) -> bool:
    """Whether an add-on may be held on a plan."""
    return not add_on.allowed_plans or plan_key in add_on.allowed_plans


def _not_for_this_plan(add_on: AddOn, standing: Standing) -> Reason | None:
    if standing.status is None:
        return Reason.NO_SUBSCRIPTION
    if not is_allowed(add_on, standing.plan_key):
        return Reason.PLAN
    if is_included(add_on, standing.covered):
        return Reason.INCLUDED
    if not any(price.currency == standing.currency for price in add_on.prices):
        return Reason.CURRENCY
    if price_for(add_on.prices, standing.currency, standing.plan_interval) is None:
        return Reason.BILLING_PERIOD
    return Reason.RESET_PERIOD if _resets_otherwise(add_on, standing) else None


def _resets_otherwise(add_on: AddOn, standing: Standing) -> bool:
    """True when a consumed feature would reset on two rhythms at once (E8)."""
    return any(
        e.usage_reset_period is not None
        and standing.reset_periods.get(e.feature.lookup_key, e.usage_reset_period)
        is not e.usage_reset_period
        for e in add_on.entitlements
        if e.feature.is_consumed
    )


def _not_now(standing: Standing) -> Reason | None:
    if standing.term_is_over:
        return Reason.TERM_OVER
    return _BLOCKED.get(standing.status) if standing.status else None
