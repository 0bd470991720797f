"""C1-C7, E9, W1-W11: the lots that a purchase opens, and the order in which they burn."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.domain.catalog import (
    BillingCadence,
    BillingModel,
    CapacityEnds,
    CreditGrant,
    ExpirationType,
    TierMode,
)
from portal.domain.periods import BillingPeriod
from portal.services.charging import Unpaid
from tests.services.figures.stall import Held, minor
from tests.unit.samples import ANNUAL, instant, once, recurring, tiered

NEVER, MONTHLY = CapacityEnds.NEVER, BillingCadence.RECURRING
SMS = "sms"
"""Growth has none of its own."""


def grant(stall, credits: str, name: str = "Credits", **more: Any) -> CreditGrant:
    facts = {"cadence": BillingCadence.ONETIME, "expiration_type": ExpirationType.NEVER}
    return CreditGrant(name, stall.feature(SMS), Decimal(credits), **(facts | more))


@pytest.mark.parametrize(
    ("case", "credits", "at", "expected"),
    [
        ("C1", "100", "2025-01-20", "38.70967742"),
        ("C2 middle", "100", "2025-01-16T12:00", "50"),
        ("C2 start", "100", "2025-01-01", "100"),
        ("C3", "1", "2025-01-31T23:59:30", "0.0000112"),
    ],
)
def test_recurring_credits_for_what_is_left_and_then_whole(case, credits, at, expected, stall):
    key = stall.sell(recurring("10"), credit_grants=(grant(stall, credits, cadence=MONTHLY),))
    stall.at(at)
    actor = stall.account("2025-01-01")
    stall.buy(actor, key)
    assert [lot.units for lot in stall.lots(actor, SMS)] == [Decimal(expected)], case
    stall.at("2025-02-15")
    assert [lot.units for lot in stall.lots(actor, SMS)][1:] == [Decimal(credits)]


def test_c2_at_the_end_and_after_it_nothing_is_of_the_period_that_is_over(stall):
    key = stall.sell(recurring("10"), credit_grants=(grant(stall, "100", cadence=MONTHLY),))
    for at, left in (("2025-02-01", "100"), ("2025-02-15", "50")):
        stall.at(at)
        actor = stall.account("2025-01-01")
        stall.buy(actor, key)
        [lot] = stall.lots(actor, SMS)
        assert (lot.units, lot.since) == (Decimal(left), instant(at)), "February's alone"


def test_c4_a_one_time_grant_is_whole_in_mid_period(stall):
    key, actor = stall.sell(recurring("10"), credit_grants=(grant(stall, "100"),)), stall.account()
    stall.at("2026-04-20")
    stall.buy(actor, key)
    whole = Held(Decimal(100), Decimal(100), instant("2026-04-20"), None)
    assert stall.lots(actor, SMS) == [whole]
    stall.at("2026-06-20")
    assert stall.lots(actor, SMS) == [whole]


def test_c5_a_monthly_grant_on_an_annual_price_counts_from_the_purchase(stall):
    monthly = grant(stall, "100", cadence=MONTHLY, period=BillingPeriod.MONTHLY)
    key = stall.sell(recurring("600", ANNUAL), credit_grants=(monthly,))
    stall.at("2026-01-20")
    actor = stall.account("2025-03-10", "growth_annual_usd")
    stall.buy(actor, key)
    stall.at("2026-02-25")
    lots = stall.lots(actor, SMS)
    assert [lot.units for lot in lots] == [100, 100]
    assert [lot.since for lot in lots] == [instant("2026-01-20"), instant("2026-02-20")]


def test_c6_an_annual_grant_ends_its_first_period_with_the_subscription(stall):
    yearly = grant(stall, "100", cadence=MONTHLY)
    key = stall.sell(recurring("600", ANNUAL), credit_grants=(yearly,))
    stall.at("2026-01-05")
    actor = stall.account("2025-03-10", "growth_annual_usd")
    stall.buy(actor, key)
    stall.at("2026-03-09T23:59:59")
    share = Decimal("17.53424658")
    assert [lot.units for lot in stall.lots(actor, SMS)] == [share], "64 of 365 days"
    stall.renew("2026-03-10")
    first, second = stall.lots(actor, SMS)
    assert (first.units, second.units, second.since) == (share, 100, instant("2026-03-10"))


def test_c7_a_billing_cycle_grant_ends_with_the_cycle(stall):
    ending = grant(stall, "150", cadence=MONTHLY, expiration_type=ExpirationType.BILLING_CYCLE)
    key, actor = stall.sell(recurring("10"), credit_grants=(ending,)), stall.account()
    stall.at("2026-04-01")
    stall.buy(actor, key)
    end = instant("2026-05-01")
    assert stall.lots(actor, SMS) == [Held(Decimal(150), Decimal(150), instant("2026-04-01"), end)]


def test_e9_two_packs_on_top_of_the_plan(stall):
    actor = stall.account()
    stall.buy(actor, "messages_100k", 2)
    stall.use(actor, "messages", "250000")
    now = stall.meter(actor, "messages")
    assert (now.left, now.used, now.excess) == (50_000, 250_000, 0)


Pack = tuple[int, str | None, int]
"""Credits, the day they expire, their priority."""


@pytest.mark.parametrize(
    ("packs", "used", "left"),
    [
        pytest.param(
            [(50, None, 50), (30, "2036-01-01", 50), (20, "2036-02-01", 50),
             (100, "2036-03-01", 50)], "70", [50, 0, 0, 80], id="W1",
        ),
        pytest.param(
            [(50, None, 50), (30, None, 3), (40, None, 1), (20, None, 2), (60, "2036-03-01", 1)],
            "90", [50, 30, 10, 20, 0], id="W2",
        ),
    ],
)  # fmt: skip
def test_lots_burn_by_priority_and_then_by_their_end(packs, used, left, stall):
    actor = stall.account()
    for pack in packs:
        stall.buy(actor, _pack(stall, pack))
    stall.use(actor, SMS, used)
    assert [lot.left for lot in stall.lots(actor, SMS)] == left
    assert stall.meter(actor, SMS).left == sum(left)
    assert stall.books_agree


def _pack(stall, pack: Pack) -> str:
    credits, expires, priority = pack
    more: dict[str, Any] = {"priority": priority}
    if expires:
        lasts = instant(expires) - stall.world.now
        more |= {"expiration_type": ExpirationType.DURATION, "duration": lasts}
    return stall.sell(once("5", NEVER), credit_grants=(grant(stall, str(credits), **more),))


@pytest.mark.parametrize(
    ("case", "rate", "bought", "paid"),
    [("W8", "0.01", 1_000, "10"), ("W8", "2", 5, "10"), ("W9", "0.008", 125, "1")],
)
def test_credits_bought_one_by_one_at_a_rate(case, rate, bought, paid, stall):
    tiers = tiered(TierMode.VOLUME, (None, rate)).tiers
    model = {"billing_model": BillingModel.TIERED, "tier_mode": TierMode.VOLUME, "tiers": tiers}
    key = stall.sell(once("0", NEVER, **model), credit_grants=(grant(stall, "1"),))
    actor = stall.account()
    stall.buy(actor, key, bought)
    assert stall.bill(actor) == [("charge", minor(paid))], case
    assert [lot.units for lot in stall.lots(actor, SMS)] == [bought]
    stall.use(actor, SMS, str(bought))
    assert stall.meter(actor, SMS).left == 0


def test_w10_an_sms_pack_is_10_000_credits_that_never_expire(stall):
    actor = stall.account()
    stall.buy(actor, "sms_10k")
    assert stall.bill(actor) == [("charge", minor("100"))]
    stall.at("2046-04-11")
    [lot] = stall.lots(actor, SMS)
    assert (lot.left, lot.until) == (10_000, None)
    assert Decimal(100) / lot.units == Decimal("0.01")


def test_w11_a_bonus_is_a_lot_of_its_own_once_the_purchase_is_complete(stall):
    grants = (grant(stall, "5000"), grant(stall, "750", "Bonus"))
    key = stall.sell(once("50", NEVER), credit_grants=grants)
    actor = stall.world.account(card="pm_card_chargeCustomerFail")
    waits = stall.world.buy(actor, key)
    assert isinstance(waits, Unpaid)
    assert stall.lots(actor, SMS) == []
    stall.till.pay(actor, waits.purchase_id, "new")
    stall.till.gateway.pay_page(stall.till.page(waits.purchase_id))
    stall.till.finish(actor, waits.purchase_id)
    assert [lot.units for lot in stall.lots(actor, SMS)] == [5_000, 750]
