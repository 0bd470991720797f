"""Use beyond a soft limit: when it is billed, at which price, and that each unit is billed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Update, update

from portal.models.tenants import EnvironmentRow
from portal.models.usage import CounterRow
from portal.services.charging import Settled
from tests.services.beyond import LIMIT, messages
from tests.services.living import dying
from tests.services.using import correction, fates

FEE, YEAR = ("Business", "299.00"), ("Business", "2870.00")


def version() -> Update:
    """As the catalog's own commands do: readers read it anew."""
    return update(EnvironmentRow).values(catalog_version=EnvironmentRow.catalog_version + 1)


def test_what_pages_foresee_grows_with_each_report_and_is_what_the_renewal_asks(meterage):
    actor = meterage.account()
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT)
    assert meterage.foreseen(actor)[0] == (datetime(2026, 5, 1, tzinfo=UTC), [29900])
    meterage.use(actor, 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900, 800]
    meterage.use(actor, 2_500)
    assert meterage.foreseen(actor)[0][1] == [29900, 1000]
    assert meterage.foreseen(actor)[1][1] == [29900], "the month after begins with nothing"
    meterage.run("2026-05-01")
    assert meterage.bills(actor) == [("2026-05-01", [FEE, messages("10.00")])]
    assert meterage.arrears(actor) == [(12_500, True, True)]
    meterage.run("2026-06-01")
    assert meterage.bills(actor)[1:] == [("2026-06-01", [FEE])]
    assert meterage.ledgers_agree


def test_a_plan_paid_by_the_year_pays_for_use_at_the_end_of_each_month(meterage):
    actor = meterage.account("business_annual_usd")
    meterage.use(actor, LIMIT + 1_000)
    meterage.run("2026-05-01")
    meterage.run("2026-06-01")
    assert meterage.bills(actor) == [("2026-05-01", [messages("0.80")])]
    meterage.at("2026-06-10")
    meterage.use(actor, LIMIT + 1_000_000)
    meterage.run("2026-07-02")
    assert meterage.bills(actor)[1:] == [("2026-07-01", [messages("800.00")])]
    meterage.run("2027-04-01")
    assert meterage.bills(actor)[2:] == [("2027-04-01", [YEAR])]
    assert meterage.ledgers_agree


def test_small_amounts_wait_for_the_next_bill_of_any_kind(meterage):
    actor = meterage.account("business_annual_usd")
    meterage.use(actor, LIMIT + 500)
    meterage.run("2026-05-01")
    meterage.use(actor, LIMIT + 500)
    meterage.run("2026-06-01")
    assert meterage.bills(actor) == [
        ("2026-05-01", [messages("0.40")]),
        ("2026-06-01", [messages("0.40"), ("", "0.40")]),
    ]
    assert meterage.ledgers_agree


def test_what_comes_to_nothing_waits_for_more(meterage):
    actor = meterage.account("business_annual_usd")
    meterage.use(actor, LIMIT + 3)
    meterage.run("2026-05-01")
    assert meterage.bills(actor) == [], "no invoice over 0.00"
    meterage.use(actor, LIMIT + 997)
    meterage.run("2026-06-01")
    assert meterage.bills(actor) == [("2026-06-01", [messages("0.80")])]
    assert meterage.arrears(actor) == [(3, True, True), (997, True, True)]
    assert meterage.ledgers_agree


def test_late_use_is_of_its_own_month_until_that_is_billed(meterage):
    actor = meterage.account()
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT)
    meterage.at("2026-05-01 03:00")
    assert meterage.use(actor, 1_000, at="2026-04-30 23:00") == "counted"
    meterage.run("2026-05-01 04:00")
    assert meterage.bills(actor) == [("2026-05-01", [FEE, messages("0.80")])]
    assert meterage.use(actor, 2_000, at="2026-04-30 23:30") == "late"
    assert meterage.unsettled(actor) == 0, "May's allowance covers it"


def test_without_a_bill_the_end_of_a_month_closes_it_all_the_same(meterage):
    actor = meterage.account("business_annual_usd")
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT)
    meterage.run("2026-05-01 01:00")
    assert meterage.bills(actor) == []
    assert meterage.use(actor, 1_000, at="2026-04-30 23:00") == "late"


def test_what_is_corrected_before_the_bill_is_not_billed_and_after_it_stays(meterage, world):
    actor = meterage.account()
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT + 10_000)
    assert fates(world, actor, correction("messages", 4_000, world.now)) == ["counted"]
    assert meterage.foreseen(actor)[0][1] == [29900, 480]
    assert isinstance(meterage.office.change(actor, "enterprise"), Settled)
    whole = LIMIT + 6_000
    assert fates(world, actor, correction("messages", whole, world.now)) == ["more_than_used"]
    assert fates(world, actor, correction("messages", LIMIT, world.now)) == ["counted"]
    assert meterage.arrears(actor) == [(6_000, True, False)]
    assert meterage.ledgers_agree


@pytest.mark.parametrize("where", ["before it asks", "before it writes"])
def test_a_worker_that_dies_bills_it_once(where, meterage):
    actor = meterage.account()
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT + 10_000)
    with dying(where, 0):
        meterage.run("2026-05-01")
    meterage.run("2026-05-01 01:00")
    assert meterage.bills(actor) == [("2026-05-01", [FEE, messages("8.00")])]
    assert meterage.arrears(actor) == [(10_000, True, True)]


def test_reports_beside_the_renewal_are_each_billed_once(meterage, world):
    actor = meterage.account()
    meterage.at("2026-04-30 23:59:59")
    meterage.use(actor, LIMIT)
    meterage.at("2026-05-01 00:00:30")

    def report(_number: int) -> str:
        return meterage.use(actor, 1_000, at="2026-04-30 23:59:59")

    with ThreadPoolExecutor(9) as pool:
        renewed = pool.submit(meterage.office.run_due)
        told = list(pool.map(report, range(40)))
        renewed.result()
    own = told.count("counted")
    assert told.count("late") == 40 - own
    [(_, lines)] = meterage.bills(actor)
    billed = [amount for name, amount in lines if name == "Messages"]
    assert billed == ([f"{own * 0.8:.2f}"] if own else [])
    assert meterage.unsettled(actor) == 0
    assert meterage.ledgers_agree


def test_what_is_settled_without_its_arrear_is_found(meterage, world):
    actor = meterage.account()
    meterage.use(actor, LIMIT + 10)
    assert meterage.ledgers_agree
    world.change(update(CounterRow).where(CounterRow.excess > 0).values(settled=10))
    assert not meterage.ledgers_agree
