"""A new price for use of an add-on comes to who holds it still, while anything else happens too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from portal.domain.quotes import Start
from tests.services.beyond import messages
from tests.services.by_use import KEY, NAME, buy, by_use, cancel, sell
from tests.services.leaving import cancel_plan, keep_add_on
from tests.services.repricing import Operator
from tests.services.test_use_of_add_ons import FREE, LIMIT, PLAN, run_by

USE, FIXED = f"{KEY}_use_usd", f"{KEY}_monthly_usd"
JUNE_1, JULY_1 = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
MONTHS = ("2026-05-01", "2026-06-01", "2026-07-01")
ANNOUNCED, APPLIED, WITHDRAWN = "scheduled", "applied", "withdrawn"


@pytest.fixture
def growth(meterage):
    """On Growth from 1 April; it is 11 April."""
    sell(meterage)
    found = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    return found


@pytest.fixture
def holder(growth, meterage, operator):
    """One more message is $0.001 now and $0.002 from 1 June on."""
    buy(meterage, growth)
    sell(meterage, by_use(meterage, "0.002"))
    operator.announce(USE)
    return growth


def ahead(operator: Operator, actor) -> list[tuple[str, datetime]]:
    return [(each.name, each.change.effective_at) for each in operator.shown(actor)]


@pytest.mark.parametrize("runs", [MONTHS, ()], ids=["on time", "late"])
def test_its_holder_pays_the_new_price_from_the_boundary_on(runs, holder, meterage, operator):
    assert ahead(operator, holder) == [(NAME, JUNE_1)]
    for at in ("2026-05-20", "2026-06-02"):
        run_by(meterage, runs, at)
        meterage.use(holder, LIMIT + 10_000)
    assert meterage.foreseen(holder)[-2][1][-1] == 2000
    meterage.run("2026-07-01")
    assert [lines for _, lines in meterage.bills(holder)] == [
        [PLAN, FREE], [PLAN, FREE, messages("10.00")], [PLAN, FREE, messages("20.00")],
    ]  # fmt: skip
    assert operator.changes(holder) == [(APPLIED, JUNE_1)]
    assert meterage.ledgers_agree


def test_cancelled_before_it_never_costs_more_and_kept_again_it_does(
    holder, meterage, operator, world
):
    cancel(meterage, holder)
    assert ahead(operator, holder) == []
    [held] = world.state(holder).held
    keep_add_on(world, holder, held.id)
    assert ahead(operator, holder) == [(NAME, JUNE_1)]
    cancel(meterage, holder)
    run_by(meterage, MONTHS, "2026-06-20")
    assert operator.changes(holder) == [(WITHDRAWN, JUNE_1)]


def test_bought_anew_it_costs_what_its_quote_says_at_once(holder, meterage, operator):
    cancel(meterage, holder)
    run_by(meterage, MONTHS, "2026-05-10")
    buy(meterage, holder)
    meterage.use(holder, LIMIT + 10_000)
    assert meterage.foreseen(holder)[0][1] == [9900, 0, 2000]
    run_by(meterage, MONTHS, "2026-06-01")
    assert operator.changes(holder) == [(WITHDRAWN, JUNE_1)]
    assert operator.announce(USE).moved == ()


def test_it_ends_with_the_plan(holder, meterage, operator, world):
    cancel_plan(world, holder)
    assert ahead(operator, holder) == []
    run_by(meterage, MONTHS, "2026-06-01")
    assert operator.changes(holder) == [(WITHDRAWN, JUNE_1)]


def test_the_first_month_of_what_waits_for_its_start_costs_what_was_quoted(
    growth, meterage, operator
):
    buy(meterage, growth, start=Start.NEXT_CYCLE)
    sell(meterage, by_use(meterage, "0.002"))
    operator.announce(USE, days=14)
    assert ahead(operator, growth) == [(NAME, JUNE_1)]


def test_its_fee_and_its_price_for_use_change_at_one_boundary(growth, meterage, operator):
    buy(meterage, growth)
    sell(meterage, by_use(meterage, "0.002", fixed="5.00"))
    operator.announce(USE)
    operator.announce(FIXED)
    assert operator.changes(growth) == [(ANNOUNCED, JUNE_1), (ANNOUNCED, JUNE_1)]
    run_by(meterage, MONTHS, "2026-06-02")
    meterage.use(growth, LIMIT + 10_000)
    meterage.run("2026-07-01")
    assert meterage.bills(growth)[-1][1] == [PLAN, (NAME, "5.00"), messages("20.00")]
    assert operator.changes(growth) == [(APPLIED, JUNE_1), (APPLIED, JUNE_1)]


def test_the_plans_price_moves_too_while_the_add_on_takes_its_place(meterage, operator, world):
    actor = meterage.account()
    meterage.at("2026-04-11")
    operator.sell(business_messages_usd="0.0016")
    sell(meterage)
    buy(meterage, actor)
    operator.announce("business_messages_usd")
    assert ahead(operator, actor) == [("Business", JUNE_1)]
    run_by(meterage, MONTHS, "2026-06-02")
    meterage.use(actor, 5 * LIMIT + 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900, 0, 1000]
    cancel(meterage, actor)
    meterage.run("2026-07-01")
    meterage.use(actor, 5 * LIMIT + 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900, 1600]


def test_many_first_reports_after_the_boundary_split_its_window_once(holder, meterage, operator):
    """Each wants to, while a worker moves the holder; what was used before costs the old price."""
    run_by(meterage, MONTHS[:1], "2026-05-31 23:00")
    meterage.use(holder, LIMIT + 4_000)
    meterage.at("2026-06-01 00:00:10")

    def report(_number: int) -> str:
        return meterage.use(holder, 5_000)

    with ThreadPoolExecutor(9) as pool:
        renewed = pool.submit(meterage.office.run_due)
        assert set(pool.map(report, range(40))) == {"counted"}
        renewed.result()
    meterage.run("2026-07-01")
    assert [lines[2:] for _, lines in meterage.bills(holder)] == [
        [], [messages("4.00")], [messages("200.00")],
    ]  # fmt: skip
    assert operator.changes(holder) == [(APPLIED, JUNE_1)]
    assert meterage.ledgers_agree
