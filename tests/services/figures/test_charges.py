"""P1-P3, P11-P15, P28-P30: what an add-on costs the day it is bought, and afterwards."""

from __future__ import annotations

import pytest

from portal.domain.errors import Conflict
from portal.services import instances
from tests.services.figures.stall import minor
from tests.unit.samples import MONTHLY, instant, once, recurring


@pytest.mark.parametrize(
    ("case", "price", "since", "at", "expected"),
    [
        ("P1 first day", recurring("20"), "2026-04-01", "2026-04-01", "20.00"),
        ("P1 after ten days", recurring("20"), "2026-04-01", "2026-04-11", "13.33"),
        ("P1 after twenty days", recurring("20"), "2026-04-01", "2026-04-21", "6.67"),
        ("P1 last day", recurring("20"), "2026-04-01", "2026-04-30", "0.67"),
        ("P14 at the start", recurring("30"), "2026-04-01", "2026-04-01", "30.00"),
        ("P15 17 of 31 days", recurring("25"), "2024-03-01", "2024-03-15", "13.71"),
    ],
)
def test_what_is_left_of_the_period_is_paid(case, price, since, at, expected, stall):
    stall.at(at)
    key = stall.sell(price)
    actor = stall.account(since)
    before = len(stall.till.taken())
    stall.buy(actor, key)
    assert stall.bill(actor) == [("charge", minor(expected))], case
    assert stall.till.taken()[before:] == [minor(expected)]
    assert stall.books_agree


def test_p1_then_the_whole_price_each_month(stall):
    key, actor = stall.sell(recurring("20")), stall.account()
    stall.buy(actor, key)
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", 9900), ("charge", 2000)]


def test_p2_in_the_last_second_nothing_is_due(stall):
    key, actor = stall.sell(recurring("20")), stall.account()
    stall.at("2026-04-30T23:59:59")
    before = len(stall.till.taken())
    stall.buy(actor, key)
    assert stall.sold(actor) == [("charge", 0)]
    assert stall.bill(actor) == [("charge", 9900)], "the plan's: this has no invoice"
    assert stall.till.taken()[before:] == []
    assert stall.world.state(actor).carried.minor == 0
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", 9900), ("charge", 2000)]
    assert stall.books_agree


def test_p3_two_add_ons_are_two_invoices(stall):
    actor = stall.account()
    for amount in ("20", "35"):
        stall.buy(actor, stall.sell(recurring(amount)))
    assert stall.bill(actor, 2) == [("charge", minor("13.33"))]
    assert stall.bill(actor, 1) == [("charge", minor("23.33"))]
    assert sum(stall.till.taken()[-2:]) == minor("36.66")


def test_p11_a_one_time_add_on_cannot_be_removed_and_gives_nothing_back(stall):
    key, actor = stall.sell(once("30")), stall.account()
    stall.buy(actor, key)
    held = stall.world.state(actor).held[0].id
    with stall.world.session() as session, pytest.raises(Conflict):
        instances.cancel(actor, held, "", session=session, wall=stall.world.wall)
    assert stall.bill(actor) == [("charge", 3000)]
    assert stall.world.state(actor).balance.minor == 0


def test_p28_a_pack_ends_with_the_window(stall):
    actor = stall.account()
    stall.at("2026-04-21")
    stall.buy(actor, stall.sell(once("30")))
    assert stall.bill(actor) == [("charge", minor("30.00"))]
    assert stall.world.state(actor).held[0].span.ends_at == instant("2026-05-01")
    stall.renew("2026-05-01")
    assert stall.world.state(actor).held == ()
    assert stall.bill(actor) == [("charge", 9900)]


def test_p29_yen_have_no_parts(stall):
    key = stall.sell(recurring("500", currency="jpy"))
    actor = stall.account(price="growth_monthly_jpy", currency="jpy")
    stall.buy(actor, key)
    assert stall.bill(actor) == [("charge", 333)]
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", 14800), ("charge", 500)]


def test_p30_a_monthly_add_on_on_an_annual_plan_pays_for_its_months(stall):
    key, actor = stall.sell(recurring("10", MONTHLY)), stall.account(price="growth_annual_usd")
    stall.at("2026-04-16")
    stall.buy(actor, key)
    assert stall.bill(actor) == [("charge", minor("5.00"))]
    for month in ("2026-05-01", "2026-06-01"):
        stall.renew(month)
        assert stall.bill(actor) == [("charge", minor("10.00"))]
    assert stall.books_agree
