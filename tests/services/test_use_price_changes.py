"""Holders of a price for use are told, and moved to the new one at a boundary of that price."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.models.subscriptions import SubscriptionRow
from portal.services.charging import Settled
from tests.services.beyond import LIMIT, messages
from tests.services.changing import ANNUAL
from tests.services.living import dying
from tests.services.repricing import Operator
from tests.services.test_use_of_add_ons import run_by

KEY, FEE = "business_messages_usd", ("Business", "299.00")
MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
JULY_1 = datetime(2026, 7, 1, tzinfo=UTC)
MONTHS = ("2026-05-01", "2026-06-01", "2026-07-01")
ANNOUNCED, APPLIED, WITHDRAWN = "scheduled", "applied", "withdrawn"


def ahead(operator: Operator, actor) -> list[tuple[str, datetime]]:
    """What pages show: the price of one more message, and from when on."""
    state = operator.world.state(actor)
    found = [c for c in operator.shown(actor) if c.change.feature]
    assert all(c.change.effective_at > state.now for c in found)
    return [(f"{c.change.new.amount.normalize():f}", c.change.effective_at) for c in found]


@pytest.mark.parametrize("runs", [MONTHS, ()], ids=["on time", "late"])
def test_what_is_used_before_the_boundary_costs_the_old_price_and_after_it_the_new_one(
    runs, dearer, meterage, operator
):
    assert ahead(operator, dearer) == [("0.0016", JUNE_1)]
    for at in ("2026-04-20", "2026-05-20", "2026-06-02"):
        run_by(meterage, runs, at)
        meterage.use(dearer, LIMIT + 10_000)
    meterage.run("2026-07-01")
    assert [lines for _, lines in meterage.bills(dearer)] == [
        [FEE, messages("8.00")], [FEE, messages("8.00")], [FEE, messages("16.00")],
    ]  # fmt: skip
    assert operator.changes(dearer) == [(APPLIED, JUNE_1)]
    assert ahead(operator, dearer) == []
    assert meterage.ledgers_agree


@pytest.mark.parametrize("runs", [("2026-05-11", "2026-06-11"), ()], ids=["on time", "late"])
def test_a_quota_window_astride_of_the_boundary_is_split_there(runs, meterage, operator):
    """The year began on 11 April, so that use is billed on the 11th; messages begin on the 1st."""
    actor = meterage.account()
    meterage.at("2026-04-11")
    assert isinstance(meterage.office.change(actor, "business", ANNUAL), Settled)
    operator.sell(business_messages_usd="0.0016")
    meterage.use(actor, 1)
    operator.announce(KEY, days=31)
    june_11 = datetime(2026, 6, 11, tzinfo=UTC)
    assert ahead(operator, actor) == [("0.0016", june_11)]
    for at, units in (("2026-06-05", LIMIT + 10_000), ("2026-06-12", 20_000)):
        run_by(meterage, runs, at)
        meterage.use(actor, units)
    assert [amount for _, each in meterage.foreseen(actor) for amount in each] == [
        800, 3200, 287000,
    ]  # fmt: skip
    meterage.run("2026-07-11")
    assert meterage.bills(actor)[1:] == [("2026-07-11", [messages("8.00"), messages("32.00")])]
    assert operator.changes(actor) == [(APPLIED, june_11)]
    assert meterage.ledgers_agree


def test_what_is_reported_late_of_a_window_before_it_costs_the_old_price(dearer, meterage):
    run_by(meterage, MONTHS[:1], "2026-05-31")
    meterage.use(dearer, LIMIT)
    meterage.at("2026-06-01 03:00")
    assert meterage.use(dearer, LIMIT + 1_000) == "counted"
    assert meterage.use(dearer, 10_000, at="2026-05-31 23:00") == "counted"
    meterage.run("2026-06-01 04:00")
    assert meterage.bills(dearer)[-1] == ("2026-06-01", [FEE, messages("8.00")])
    meterage.run("2026-07-01")
    assert meterage.bills(dearer)[-1] == ("2026-07-01", [FEE, messages("1.60")])
    assert meterage.ledgers_agree


@pytest.mark.parametrize("where", ["before it asks", "before it writes"])
def test_a_worker_that_dies_at_the_boundary_bills_each_unit_once(where, dearer, meterage, operator):
    run_by(meterage, MONTHS[:1], "2026-05-20")
    meterage.use(dearer, LIMIT + 10_000)
    with dying(where, 0):
        meterage.run("2026-06-01")
    meterage.use(dearer, LIMIT + 10_000)
    meterage.run("2026-06-01 01:00")
    meterage.run("2026-07-01")
    assert [lines[1:] for _, lines in meterage.bills(dearer)] == [
        [], [messages("8.00")], [messages("16.00")],
    ]  # fmt: skip
    assert operator.changes(dearer) == [(APPLIED, JUNE_1)]
    assert meterage.ledgers_agree


def test_without_any_use_it_comes_all_the_same(meterage, operator, world):
    actor = meterage.office.account(plan="business", price="business_annual_usd")
    operator.sell(business_messages_usd="0.0016")
    operator.announce(KEY)
    meterage.run("2026-06-02")
    assert operator.changes(actor) == [(APPLIED, JUNE_1)]
    meterage.use(actor, LIMIT + 10_000)
    assert meterage.foreseen(actor)[0] == (JULY_1, [1600])


def test_an_upgrade_meanwhile_is_billed_at_its_own_price(dearer, meterage, operator):
    assert isinstance(meterage.office.change(dearer, "enterprise"), Settled)
    assert ahead(operator, dearer) == []
    run_by(meterage, MONTHS, "2026-06-10")
    meterage.use(dearer, 2_000_000 + 10_000)
    meterage.run("2026-07-01")
    assert meterage.bills(dearer)[-1] == (
        "2026-07-01",
        [("Enterprise", "999.00"), messages("6.00")],
    )
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1)]


def test_a_plan_agreed_on_wins_and_taken_back_the_new_price_comes(dearer, meterage, operator):
    meterage.office.change(dearer, "growth")
    assert ahead(operator, dearer) == []
    assert meterage.office.withdraw(dearer)
    assert ahead(operator, dearer) == [("0.0016", JUNE_1)]


@pytest.mark.parametrize("runs", [MONTHS, ()], ids=["on time", "late"])
def test_another_plan_agreed_on_for_the_same_boundary_wins(runs, actor, meterage, operator):
    operator.sell(business_messages_usd="0.0016")
    operator.announce(KEY, days=20)
    meterage.office.change(actor, "growth")
    assert ahead(operator, actor) == []
    meterage.use(actor, LIMIT + 10_000)
    run_by(meterage, runs, "2026-05-02")
    meterage.use(actor, LIMIT + 10_000)
    meterage.run("2026-06-01")
    assert [lines for _, lines in meterage.bills(actor)] == [
        [("Growth", "99.00"), messages("8.00")], [("Growth", "99.00")],
    ]  # fmt: skip
    assert operator.changes(actor) == [(WITHDRAWN, MAY_1)]


def test_the_same_price_for_use_agreed_on_holds_at_that_boundary_and_moves_at_the_next(
    leaving_the_year, meterage, operator
):
    actor = leaving_the_year
    assert operator.announce(KEY, days=355).moved == (), "its boundary is the end of the term"
    assert len(operator.announce(KEY, days=365).moved) == 1
    may_1 = datetime(2027, 5, 1, tzinfo=UTC)
    assert ahead(operator, actor) == [("0.0016", may_1)]
    meterage.run("2027-04-01")
    assert ahead(operator, actor) == [("0.0016", may_1)]
    meterage.use(actor, LIMIT + 10_000)
    meterage.run("2027-05-01")
    meterage.use(actor, LIMIT + 10_000)
    meterage.run("2027-06-01")
    assert [lines for _, lines in meterage.bills(actor)][-2:] == [
        [FEE, messages("8.00")], [FEE, messages("16.00")],
    ]  # fmt: skip
    assert operator.changes(actor) == [(APPLIED, may_1)]


def test_restored_after_both_an_agreed_plan_and_a_new_price_it_is_applied_by_the_next_bill(
    leaving_the_year, meterage, operator, world
):
    """Restored on 10 May 2027 its months begin on the 10th: the plan changes there, and the price
    of 1 May is paid from its first unit on, though its row waits for the bill after."""
    actor = leaving_the_year
    operator.announce(KEY, days=365)
    may_1 = datetime(2027, 5, 1, tzinfo=UTC)
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(status="suspended"))
    meterage.run("2027-05-10")
    world.change(mine.values(status="active", resumed_at=world.now, next_due_at=world.now))
    meterage.run("2027-05-10")
    assert operator.changes(actor) == [(ANNOUNCED, may_1)]
    meterage.use(actor, LIMIT + 10_000)
    [(june_10, soon), _] = meterage.foreseen(actor)
    assert (june_10, soon) == (datetime(2027, 6, 10, tzinfo=UTC), [29900, 1600])
    meterage.run("2027-06-10")
    assert operator.changes(actor) == [(APPLIED, may_1)]
    meterage.use(actor, LIMIT + 10_000)
    meterage.run("2027-07-10")
    assert meterage.bills(actor) == [
        ("2027-05-10", [FEE]),
        ("2027-06-10", [FEE, messages("16.00")]),
        ("2027-07-10", [FEE, messages("16.00")]),
    ]
    assert meterage.ledgers_agree


@pytest.fixture
def leaving_the_year(meterage, operator):
    """From the year to the month at its end, 1 April 2027, quoted while one more message was still
    $0.0008; now it is $0.0016."""
    actor = meterage.office.account(plan="business", price="business_annual_usd")
    meterage.at("2026-04-11")
    meterage.office.change(actor, "business")
    operator.sell(business_messages_usd="0.0016")
    return actor


@pytest.mark.parametrize("runs", [("2026-06-01", "2027-04-01"), ()], ids=["on time", "late"])
def test_what_came_before_an_agreed_change_does_not_go_on_after_it(
    runs, leaving_the_year, meterage, operator
):
    operator.announce(KEY)
    assert ahead(operator, leaving_the_year) == [("0.0016", JUNE_1)]
    run_by(meterage, runs, "2027-04-10")
    meterage.use(leaving_the_year, LIMIT + 10_000)
    found = [amount for _, each in meterage.foreseen(leaving_the_year) for amount in each]
    assert 800 in found
    assert 1600 not in found


@pytest.mark.parametrize("runs", [MONTHS, ()], ids=["on time", "late"])
def test_two_in_a_row_have_each_their_own_time(runs, dearer, meterage, operator):
    operator.sell(business_messages_usd="0.0024")
    operator.announce(KEY, days=60)
    assert ahead(operator, dearer) == [("0.0016", JUNE_1), ("0.0024", JULY_1)]
    for at in ("2026-05-20", "2026-06-20", "2026-07-02"):
        run_by(meterage, runs, at)
        meterage.use(dearer, LIMIT + 10_000)
    meterage.run("2026-08-01")
    assert [lines[1:] for _, lines in meterage.bills(dearer)] == [
        [], [messages("8.00")], [messages("16.00")], [messages("24.00")],
    ]  # fmt: skip
    assert operator.changes(dearer) == [(APPLIED, JUNE_1), (APPLIED, JULY_1)]


def test_of_two_for_one_boundary_the_newer_comes(dearer, meterage, operator):
    operator.sell(business_messages_usd="0.0010")
    [holder] = operator.announce(KEY).moved
    assert f"{holder.ahead.change.old.amount.normalize():f}" == "0.0008"
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1), (ANNOUNCED, JUNE_1)]


def test_the_price_of_the_plan_and_that_of_its_use_change_at_one_boundary(
    dearer, meterage, operator
):
    operator.sell(business_monthly_usd="349.00")
    operator.announce("business_monthly_usd")
    assert operator.changes(dearer) == [(ANNOUNCED, JUNE_1), (ANNOUNCED, JUNE_1)]
    assert len(operator.shown(dearer)) == 2
    run_by(meterage, MONTHS, "2026-06-02")
    meterage.use(dearer, LIMIT + 10_000)
    meterage.run("2026-07-01")
    assert meterage.bills(dearer)[-1][1] == [("Business", "349.00"), messages("16.00")]
    assert operator.changes(dearer) == [(APPLIED, JUNE_1), (APPLIED, JUNE_1)]
