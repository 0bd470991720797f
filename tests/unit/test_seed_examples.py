"""The two seed documents, sentence by sentence, where they speak of money, time or capacity."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from portal.domain.capacity import CapacityKind
from portal.domain.catalog import (
    AddOnType,
    BillingCadence,
    CapacityEnds,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Plan,
    Status,
)
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Lot, available, draw
from portal.domain.instances import InstanceStatus, Phase, Span, phase
from portal.domain.quotes import LineKind
from tests.unit.samples import (
    ANNUAL,
    MEMBERS,
    MESSAGES,
    SALESFORCE,
    STORAGE,
    add_on,
    buyer,
    cycle,
    instant,
    money,
    once,
    quoted,
    recurring,
)

CONNECTOR = add_on(recurring("50"), type=AddOnType.ONETIME, entitlements=(Entitlement(SALESFORCE),))
PACK = add_on(once("49"), entitlements=(Entitlement(MESSAGES, 100_000),))
STORAGE_PACK = add_on(recurring("10"), entitlements=(Entitlement(STORAGE, 100),))


def test_seed_1_salesforce_pays_the_rest_of_the_cycle_now_and_50_going_forward() -> None:
    made = quoted(CONNECTOR, "2026-04-11")
    assert made.charged == money("33.33")
    assert made.going_forward is not None
    assert made.going_forward.amount == money("50.00")
    assert made.going_forward.next_at == instant("2026-05-01")


def test_seed_1_a_one_time_add_on_is_full_price_at_any_moment() -> None:
    for at in ("2026-04-01", "2026-04-20", "2026-04-30T23:59:59"):
        made = quoted(PACK, at)
        assert made.charged == money("49")
        assert made.going_forward is None


def test_seed_1_add_100_000_messages_this_billing_cycle() -> None:
    [brought] = quoted(PACK, "2026-04-20").capacity
    assert (brought.kind, brought.units) == (CapacityKind.LOT, Decimal(100_000))
    assert brought.until == instant("2026-05-01")
    assert brought.then_units is None, "a one-time does not extend itself"


def test_seed_1_a_feature_unlocks_at_once_and_stays_while_it_renews() -> None:
    [brought] = quoted(CONNECTOR, "2026-04-11").capacity
    assert (brought.kind, brought.until) == (CapacityKind.FEATURE, None)


def test_seed_1_auto_renew_off_is_a_single_cycle() -> None:
    made = quoted(CONNECTOR, "2026-04-11", auto_renew=False)
    assert made.charged == money("33.33")
    assert made.cancel_at == instant("2026-05-01")
    assert made.capacity[0].until == instant("2026-05-01")
    assert made.going_forward is None


def test_seed_1_auto_renew_means_nothing_to_a_one_time_add_on() -> None:
    on, off = (quoted(PACK, "2026-04-11", auto_renew=choice) for choice in (True, False))
    assert replace(on, request=off.request) == off
    assert off.cancel_at is None


def test_seed_1_a_cancellation_takes_effect_at_the_next_cycle() -> None:
    span = Span(instant("2026-04-11"), None, cancel_at=instant("2026-05-01"))
    before, then = instant("2026-04-30T23:59:59"), instant("2026-05-01")
    assert phase(InstanceStatus.ACTIVE, span, before) is Phase.CANCELLING
    assert span.covers(before)
    assert phase(InstanceStatus.ACTIVE, span, then) is Phase.ENDED
    assert not span.covers(then)


def test_seed_1_packs_in_one_cycle_add_to_what_remains() -> None:
    [brought] = quoted(PACK, "2026-04-20", quantity=3).capacity
    assert brought.units == 300_000
    at = instant("2026-04-20")
    lots = [Lot(n, Decimal(100_000), Decimal(100_000), at, at) for n in range(3)]
    assert available(lots, at) == 300_000
    assert draw(lots, Decimal(300_001), at).excess == 1


def test_seed_1_capacity_drops_back_when_used_or_at_the_end_of_the_cycle() -> None:
    at, end = instant("2026-04-20"), instant("2026-05-01")
    pack = Lot(1, Decimal(100_000), Decimal(100_000), at, at, expires_at=end)
    assert available([pack], end - timedelta(seconds=1)) == 100_000
    assert available([pack], end) == 0


def test_seed_2_storage_10_gb_and_two_packs_are_210_gb() -> None:
    made = quoted(STORAGE_PACK, "2026-04-01", quantity=2)
    assert made.charged == money("20.00")
    at = instant("2026-04-01")
    sources = [
        Source(SourceKind.PLAN, "Growth", Entitlement(STORAGE, 10), 1, at),
        Source(SourceKind.ADD_ON, "Storage", STORAGE_PACK.entitlements[0], 2, at),
    ]
    assert resolve(STORAGE, sources, at).limit == 210


def test_seed_2_held_capacity_is_whole_at_once_in_mid_cycle() -> None:
    [brought] = quoted(STORAGE_PACK, "2026-04-30").capacity
    assert (brought.kind, brought.units) == (CapacityKind.LEVEL, Decimal(100))


def test_seed_2_onboarding_is_499_once() -> None:
    onboarding = add_on(once("499", CapacityEnds.NEVER), type=AddOnType.ONETIME)
    made = quoted(onboarding, "2026-04-29")
    assert (made.charged, made.ends_at) == (money("499"), None)
    assert onboarding.most_units == 1


def test_seed_2_an_sms_pack_rolls_over() -> None:
    sms = CreditGrant(
        "SMS", MESSAGES, Decimal(10_000), BillingCadence.ONETIME, ExpirationType.NEVER
    )
    made = quoted(add_on(once("100", CapacityEnds.NEVER), credit_grants=(sms,)), "2026-04-29")
    assert made.charged == money("100")
    assert (made.capacity[0].units, made.capacity[0].until) == (Decimal(10_000), None)


def test_seed_2_an_add_on_follows_the_subscription_to_annual() -> None:
    both = add_on(recurring("49"), recurring("470", ANNUAL))
    yearly = buyer(cycle=cycle("2026-01-01", ANNUAL))
    assert quoted(both, "2026-01-01").charged == money("49")
    assert quoted(both, "2026-01-01", by=yearly).charged == money("470")


def test_seed_2_a_onetime_add_on_is_held_once_and_a_capped_one_up_to_its_units() -> None:
    many = add_on(recurring("45"), max_instances=25, entitlements=(Entitlement(MEMBERS, 1),))
    assert CONNECTOR.most_units == 1
    assert many.most_units == 25
    assert STORAGE_PACK.most_units is None


def test_a_pack_on_an_annual_plan_ends_with_the_quota_window_not_the_year() -> None:
    yearly = buyer(cycle=cycle("2026-01-01", ANNUAL))
    made = quoted(PACK, "2026-04-20", by=yearly)
    assert made.ends_at == made.capacity[0].until == instant("2026-05-01")
    to_year_end = replace(PACK, prices=(once("49", CapacityEnds.CYCLE),))
    assert quoted(to_year_end, "2026-04-20", by=yearly).ends_at == instant("2027-01-01")


def test_a_one_time_held_purchase_ends_as_its_price_says() -> None:
    knowledge = once("29", CapacityEnds.DURATION, capacity_duration=timedelta(days=90))
    sold = add_on(knowledge, entitlements=(Entitlement(STORAGE, 50),))
    made = quoted(sold, "2026-04-20")
    assert made.ends_at == made.capacity[0].until == instant("2026-07-19")


def test_30_000_messages_until_the_boundary_then_100_000_each_month() -> None:
    every_month = add_on(recurring("40"), entitlements=(Entitlement(MESSAGES, 100_000),))
    made = quoted(every_month, "2026-11-22", by=buyer(cycle=cycle("2026-11-01")))
    [brought] = made.capacity
    assert made.sum_of(LineKind.CHARGE) == money("12.00")
    assert (brought.units, brought.until) == (Decimal(30_000), instant("2026-12-01"))
    assert brought.then_units == 100_000
    single = quoted(
        every_month, "2026-11-22", auto_renew=False, by=buyer(cycle=cycle("2026-11-01"))
    )
    assert single.capacity[0].then_units is None


def test_a_started_unit_is_a_whole_one() -> None:
    every_month = add_on(recurring("40"), entitlements=(Entitlement(MESSAGES, 10),))
    [brought] = quoted(every_month, "2026-04-30T23:59:59").capacity
    assert brought.units == 1


def test_an_unlimited_pack_and_a_disabled_grant() -> None:
    sold = add_on(
        recurring("40"),
        entitlements=(Entitlement(MESSAGES, None), Entitlement(STORAGE, 5, is_enabled=False)),
    )
    [brought] = quoted(sold, "2026-04-20").capacity
    assert (brought.feature, brought.units) == (MESSAGES, None)


def test_recurring_credits_are_in_proportion_too_and_one_time_credits_may_last() -> None:
    cases = {
        BillingCadence.RECURRING: (Decimal("50"), Decimal(100)),
        BillingCadence.ONETIME: (Decimal("100"), None),
    }
    for cadence, wanted in cases.items():
        given = CreditGrant(
            "SMS",
            MESSAGES,
            Decimal(100),
            cadence,
            ExpirationType.DURATION,
            duration=timedelta(days=10),
        )
        [brought] = quoted(add_on(recurring("5"), credit_grants=(given,)), "2026-04-16").capacity
        assert (brought.units, brought.then_units) == wanted
        assert brought.until == instant("2026-04-26")


def test_plans_and_add_ons_share_their_core_fields() -> None:
    plan = Plan("growth", "Growth", Status.PUBLISHED, prices=(recurring("99"),))
    assert plan.prices[0].is_recurring
    assert not PACK.prices[0].is_recurring
