"""Why an add-on cannot be bought: every reason once, its way out, and which comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.domain.catalog import (
    AddOnType,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Feature,
    FeatureType,
    Plan,
    Status,
)
from portal.domain.catalog import BillingCadence as Cadence
from portal.domain.eligibility import (
    Holding,
    Reason,
    Standing,
    WayOut,
    covered_by,
    refusal,
    units_left,
)
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import BillingPeriod
from tests.unit.samples import (
    ANNUAL,
    MESSAGES,
    MONTHLY,
    SALESFORCE,
    add_on,
    once,
    recurring,
)

GOOD = Standing(
    status=SubscriptionStatus.ACTIVE,
    plan_key="growth",
    plan_interval=MONTHLY,
    currency="usd",
    covered=frozenset(),
    reset_periods={},
    may_update=True,
)
CONNECTOR = add_on(recurring("50"), type=AddOnType.ONETIME, entitlements=(Entitlement(SALESFORCE),))
SEATS = add_on(recurring("45"), max_instances=5)
WEEKLY_MESSAGES = Entitlement(MESSAGES, 700, usage_reset_period=BillingPeriod.WEEKLY)
NONE = Holding()

BY_REASON: dict[Reason, tuple[Any, Standing, Holding, WayOut]] = {
    Reason.NOT_SOLD: (replace(CONNECTOR, status=Status.ARCHIVED), GOOD, NONE, WayOut.CONTACT),
    Reason.OWNED: (CONNECTOR, GOOD, Holding(1, instance_id=7), WayOut.MANAGE),
    Reason.CANCELLING: (CONNECTOR, GOOD, Holding(1, 0, 7, cancelling_id=7), WayOut.KEEP),
    Reason.PAYMENT_PENDING: (CONNECTOR, GOOD, Holding(0, pending_units=1), WayOut.PAYMENT),
    Reason.INCLUDED: (
        CONNECTOR,
        replace(GOOD, covered=frozenset({"salesforce"})),
        NONE,
        WayOut.MANAGE,
    ),
    Reason.PLAN: (replace(CONNECTOR, allowed_plans=("business",)), GOOD, NONE, WayOut.PLANS),
    Reason.CURRENCY: (CONNECTOR, replace(GOOD, currency="jpy"), NONE, WayOut.CONTACT),
    Reason.BILLING_PERIOD: (add_on(recurring("470", ANNUAL)), GOOD, NONE, WayOut.PLANS),
    Reason.RESET_PERIOD: (
        add_on(recurring("50"), entitlements=(WEEKLY_MESSAGES,)),
        replace(GOOD, reset_periods={"messages": BillingPeriod.MONTHLY}),
        NONE,
        WayOut.CONTACT,
    ),
    Reason.MOST_HELD: (SEATS, GOOD, Holding(5, instance_id=7), WayOut.MANAGE),
    Reason.NO_SUBSCRIPTION: (CONNECTOR, replace(GOOD, status=None), NONE, WayOut.PLANS),
    Reason.TRIALING: (
        CONNECTOR,
        replace(GOOD, status=SubscriptionStatus.TRIALING),
        NONE,
        WayOut.PLANS,
    ),
    Reason.PAST_DUE: (
        CONNECTOR,
        replace(GOOD, status=SubscriptionStatus.PAST_DUE),
        NONE,
        WayOut.INVOICES,
    ),
    Reason.SUSPENDED: (
        CONNECTOR,
        replace(GOOD, status=SubscriptionStatus.SUSPENDED),
        NONE,
        WayOut.INVOICES,
    ),
    Reason.TERM_OVER: (CONNECTOR, replace(GOOD, term_is_over=True), NONE, WayOut.CONTACT),
    Reason.RENEWING: (CONNECTOR, replace(GOOD, is_renewing=True), NONE, WayOut.WAIT),
    Reason.PERMISSION: (CONNECTOR, replace(GOOD, may_update=False), NONE, WayOut.ASK_OWNER),
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_reached_and_has_a_way_out(reason: Reason) -> None:
    sold, standing, holding, way_out = BY_REASON[reason]
    found = refusal(sold, standing, holding)
    assert found is not None
    assert (found.reason, found.way_out) == (reason, way_out)


def test_nothing_stands_in_the_way() -> None:
    assert refusal(CONNECTOR, GOOD, NONE) is None
    assert refusal(SEATS, GOOD, Holding(4)) is None
    assert refusal(add_on(once("49")), GOOD, Holding(1_000)) is None


def test_a_draft_is_not_sold_and_a_cancelled_subscription_is_none() -> None:
    draft = refusal(replace(CONNECTOR, status=Status.DRAFT), GOOD, NONE)
    ended = refusal(CONNECTOR, replace(GOOD, status=SubscriptionStatus.CANCELLED), NONE)
    assert draft is not None
    assert draft.reason is Reason.NOT_SOLD
    assert ended is not None
    assert ended.reason is Reason.NO_SUBSCRIPTION


def test_the_instance_in_the_way_is_named() -> None:
    owned = refusal(CONNECTOR, GOOD, Holding(1, instance_id=7))
    ending = refusal(CONNECTOR, GOOD, Holding(1, instance_id=7, cancelling_id=8))
    assert owned is not None
    assert owned.instance_id == 7
    assert ending is not None
    assert ending.instance_id == 8, "Keep acts on the one that ends"


def test_the_most_telling_reason_comes_first() -> None:
    """Each step mends the reason just given, and the next one in rank shows."""
    standing = replace(GOOD, status=SubscriptionStatus.PAST_DUE, may_update=False, currency="jpy")
    sold = replace(CONNECTOR, status=Status.ARCHIVED, allowed_plans=("business",))
    holding = Holding(1, instance_id=7)
    steps: list[tuple[Reason, Any, Standing, Holding]] = [
        (Reason.NOT_SOLD, sold, standing, holding),
        (Reason.OWNED, (sold := replace(sold, status=Status.PUBLISHED)), standing, holding),
        (Reason.PLAN, sold, standing, NONE),
        (Reason.CURRENCY, (sold := replace(sold, allowed_plans=())), standing, NONE),
        (Reason.PAST_DUE, sold, (standing := replace(standing, currency="usd")), NONE),
        (Reason.PERMISSION, sold, replace(standing, status=SubscriptionStatus.ACTIVE), NONE),
    ]
    for reason, offered, by, held in steps:
        found = refusal(offered, by, held)
        assert found is not None
        assert found.reason is reason


def test_an_add_on_is_included_only_when_all_of_it_is() -> None:
    has_it = replace(GOOD, covered=frozenset({"salesforce"}))
    brings_credits = CreditGrant(
        "SMS", MESSAGES, recurring("5").amount, Cadence.ONETIME, ExpirationType.NEVER
    )
    more = replace(CONNECTOR, entitlements=(Entitlement(SALESFORCE), WEEKLY_MESSAGES))
    assert refusal(more, has_it, NONE) is None
    assert refusal(replace(CONNECTOR, credit_grants=(brings_credits,)), has_it, NONE) is None


@pytest.mark.parametrize(
    ("granted", "covers"),
    [
        (Entitlement(SALESFORCE), True),
        (Entitlement(SALESFORCE, is_enabled=False), False),
        (Entitlement(MESSAGES), True),
        (Entitlement(MESSAGES, 0), False),
        (Entitlement(MESSAGES, 700), False),
        (Entitlement(Feature("support", "Support", FeatureType.STATIC), static_value="4 h"), False),
    ],
    ids=["boolean", "switched off", "without limit", "none", "limited", "text"],
)
def test_a_plan_covers_what_it_has_or_has_without_limit(granted: Entitlement, covers: bool) -> None:
    plan = Plan("growth", "Growth", Status.PUBLISHED, entitlements=(granted,))
    assert covered_by(plan) == (frozenset({granted.feature.lookup_key}) if covers else frozenset())


def test_units_left_counts_units_held_and_pending() -> None:
    assert units_left(SEATS, Holding(2, pending_units=1)) == 2
    assert units_left(SEATS, Holding(9)) == 0
    assert units_left(CONNECTOR, NONE) == 1
    assert units_left(add_on(), Holding(9)) is None
