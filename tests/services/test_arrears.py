"""Use beyond a soft limit: when it is billed, at which price, and that each unit is billed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Update, update

from portal.domain.plan_moves import Timing
from portal.models.subscriptions import SubscriptionRow
from portal.models.tenants import EnvironmentRow
from portal.models.usage import CounterRow
from portal.services.charging import Settled
from tests.services.beyond import LIMIT, Meterage
from tests.services.changing import ANNUAL
from tests.services.leaving import cancel_plan, on_trial
from tests.services.living import dying
from tests.services.repricing import Operator
from tests.services.using import correction, fates, of_plan

FEE, YEAR = ("Business", "299.00"), ("Business", "2870.00")


@pytest.fixture
def meterage(world) -> Meterage:
    return Meterage(world)


def version() -> Update:
    """As the catalog's own commands do: readers read it anew."""
    return update(EnvironmentRow).values(catalog_version=EnvironmentRow.catalog_version + 1)


def messages(amount: str) -> tuple[str, str]:
    return ("Messages", amount)


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


def test_an_upgrade_leaves_what_was_used_at_the_price_of_then(meterage):
    actor = meterage.account()
    meterage.at("2026-04-11")
    meterage.use(actor, LIMIT + 10_000)
    assert isinstance(meterage.office.change(actor, "enterprise"), Settled)
    assert meterage.arrears(actor) == [(10_000, True, False)]
    at, amounts = meterage.foreseen(actor)[0]
    assert (at, amounts) == (datetime(2026, 5, 1, tzinfo=UTC), [99900, 800])
    meterage.at("2026-04-20")
    meterage.use(actor, 1_020_000)
    assert meterage.unsettled(actor) == 20_000, "for 20 of 30 days the upgrade brings 1,000,000"
    meterage.run("2026-05-01")
    assert meterage.bills(actor)[-1] == (
        "2026-05-01", [("Enterprise", "999.00"), messages("8.00"), messages("12.00")],
    )  # fmt: skip
    assert meterage.ledgers_agree


def test_what_was_used_on_a_plan_that_charges_nothing_for_it_is_never_billed(meterage, world):
    meterage.at("2026-04-01")
    actor = meterage.office.account()
    meterage.at("2026-04-11")
    meterage.use(actor, 150_000)
    assert meterage.foreseen(actor)[0][1] == [9900]
    assert isinstance(meterage.office.change(actor, "business"), Settled)
    assert meterage.arrears(actor) == [(50_000, False, False)]
    meterage.run("2026-05-01")
    assert meterage.bills(actor)[-1] == ("2026-05-01", [FEE])
    assert meterage.ledgers_agree


def test_a_downgrade_at_the_end_of_the_term_ends_the_price_with_it(meterage):
    actor = meterage.account()
    meterage.at("2026-04-20")
    assert meterage.office.quote(actor, "growth").timing is Timing.AT_TERM_END
    meterage.office.change(actor, "growth")
    meterage.use(actor, LIMIT + 10_000)
    meterage.at("2026-05-02")
    meterage.use(actor, 700_000)
    meterage.run("2026-05-02 01:00")
    assert meterage.bills(actor) == [("2026-05-01", [("Growth", "99.00"), messages("8.00")])]
    meterage.run("2026-06-01")
    assert meterage.bills(actor)[1:] == [("2026-06-01", [("Growth", "99.00")])]
    assert meterage.ledgers_agree


def test_from_the_year_to_the_month_and_back_each_month_is_billed_once(meterage):
    actor = meterage.account()
    meterage.at("2026-04-11")
    meterage.use(actor, LIMIT + 10_000)
    assert isinstance(meterage.office.change(actor, "business", ANNUAL), Settled)
    meterage.at("2026-04-25")
    meterage.use(actor, 20_000)
    meterage.run("2026-05-01")
    meterage.run("2026-05-11")
    billed = [each for _, lines in meterage.bills(actor)[1:] for each in lines]
    assert billed == [messages("8.00"), messages("16.00")]
    assert meterage.ledgers_agree


def test_the_last_bill_of_a_cancelled_plan_has_it(meterage, world):
    actor = meterage.account()
    meterage.at("2026-04-20")
    cancel_plan(world, actor)
    meterage.use(actor, LIMIT + 10_000)
    assert meterage.foreseen(actor) == [(datetime(2026, 5, 1, tzinfo=UTC), [800])]
    meterage.run("2026-05-03")
    assert meterage.bills(actor) == [("2026-05-01", [messages("8.00")])]
    assert meterage.office.subscription(actor).ended_at is not None
    assert meterage.ledgers_agree


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


def test_a_new_price_in_the_catalog_is_for_who_comes_after_or_changes_the_plan(meterage, world):
    actor, operator = meterage.account(), Operator(world, {})
    operator.sell(business_messages_usd="0.0016", enterprise_messages_usd="0.0012")
    later = meterage.account()
    for each in (actor, later):
        meterage.use(each, LIMIT + 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900, 800]
    assert meterage.foreseen(later)[0][1] == [29900, 1600]
    meterage.run("2026-05-01")
    assert isinstance(meterage.office.change(actor, "enterprise"), Settled)
    meterage.use(actor, 4 * LIMIT + 10_000)
    assert meterage.foreseen(actor)[0][1] == [99900, 1200]


def test_who_has_a_plan_already_pays_for_no_use_that_was_not_agreed_on(meterage, world):
    actor = meterage.account()
    world.change(update(SubscriptionRow).values(usage_price_ids=[]))
    meterage.use(actor, LIMIT + 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900]


def test_a_limit_that_is_made_hard_ends_the_price(meterage, world):
    actor = meterage.account()
    meterage.use(actor, LIMIT + 10_000)
    world.change(of_plan("business", is_soft_limit=False), version())
    assert meterage.foreseen(actor)[0][1] == [29900]


def test_in_a_trial_nothing_is_charged_for(meterage, world):
    meterage.at("2026-04-01")
    actor = on_trial(world, world.now, plan="business")
    meterage.at("2026-04-10")
    meterage.use(actor, LIMIT + 10_000)
    assert meterage.foreseen(actor)[0] == (datetime(2026, 4, 15, tzinfo=UTC), [29900])
    meterage.run("2026-04-15")
    assert meterage.arrears(actor) == [(10_000, False, False)]
    meterage.use(actor, 5_000)
    meterage.run("2026-05-15")
    assert meterage.bills(actor) == [("2026-05-15", [FEE, messages("4.00")])]
    assert meterage.ledgers_agree


def test_a_suspended_account_pays_for_what_it_used_when_it_is_restored(meterage, world):
    actor = meterage.account()
    meterage.at("2026-04-20")
    meterage.use(actor, LIMIT + 10_000)
    world.change(
        update(SubscriptionRow)
        .where(SubscriptionRow.account_id == actor.account_id)
        .values(status="suspended")
    )
    meterage.run("2026-06-10")
    assert meterage.bills(actor) == []
    world.change(
        update(SubscriptionRow)
        .where(SubscriptionRow.account_id == actor.account_id)
        .values(status="active", resumed_at=world.now, next_due_at=world.now)
    )
    meterage.run("2026-06-10")
    [(at, lines)] = meterage.bills(actor)
    assert (at, lines[1:]) == ("2026-06-10", [messages("8.00")])
    meterage.run("2026-08-01")
    assert all(messages("8.00") not in lines for _, lines in meterage.bills(actor)[1:])


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
