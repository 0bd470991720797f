"""An add-on that charges for use, and when it is looked at: its start, and each month's bill."""

from __future__ import annotations

import pytest

from portal.domain.access import Actor
from portal.domain.quotes import Start
from portal.queries.usage import quota_windows
from portal.queries.use_prices import use_price
from portal.services.charging import Settled
from tests.services.beyond import Meterage, messages
from tests.services.by_use import buy, cancel, sell
from tests.services.changing import ANNUAL
from tests.services.figures.stall import Stall
from tests.services.leaving import monthly_only
from tests.services.test_use_of_add_ons import LIMIT, run_by
from tests.unit.samples import instant


def test_paid_by_the_year_its_use_is_billed_by_the_month_from_the_first_on(meterage):
    sell(meterage)
    actor = meterage.account("growth_annual_usd", "growth")
    meterage.at("2026-04-20")
    buy(meterage, actor)
    meterage.use(actor, LIMIT + 2_000)
    meterage.run("2026-05-01")
    assert meterage.bills(actor) == [("2026-05-01", [messages("2.00")])]
    meterage.run("2026-06-01")
    meterage.use(actor, LIMIT + 3_000)
    meterage.run("2026-07-01")
    assert meterage.bills(actor)[1:] == [("2026-07-01", [messages("3.00")])]
    assert meterage.ledgers_agree


def test_cancelled_it_is_looked_at_until_its_use_is_billed_and_no_longer(meterage):
    sell(meterage)
    actor = meterage.account("growth_annual_usd", "growth")
    monthly_only(meterage.world, "messages_by_use")
    meterage.at("2026-04-20")
    buy(meterage, actor)
    cancel(meterage, actor)
    meterage.use(actor, LIMIT + 2_000)
    meterage.run("2026-05-01")
    assert meterage.bills(actor)[-1] == ("2026-05-01", [messages("2.00")])
    assert meterage.office.subscription(actor).next_due_at == instant("2027-04-01")


@pytest.fixture
def waiting(meterage) -> Actor:
    """The year began on 11 April: the add-on waits for 11 May, messages begin on the 1st."""
    sell(meterage)
    actor = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    assert isinstance(meterage.office.change(actor, "growth", ANNUAL), Settled)
    monthly_only(meterage.world, "messages_by_use")
    buy(meterage, actor, start=Start.NEXT_CYCLE)
    return actor


@pytest.mark.parametrize("runs", [("2026-05-01", "2026-05-11"), ()], ids=["on time", "late"])
@pytest.mark.parametrize("units", [2_000, 0])
def test_a_start_within_a_quota_window_splits_its_use_there(units, runs, waiting, meterage):
    run_by(meterage, runs, "2026-05-10")
    meterage.use(waiting, LIMIT + 7_000)
    run_by(meterage, runs, "2026-05-12")
    if units:
        meterage.use(waiting, units)
    meterage.run("2026-06-12")
    cancel(meterage, waiting)
    meterage.run("2026-08-12")
    billed = [line for _, lines in meterage.bills(waiting)[1:] for line in lines]
    assert [line for line in billed if line[0] == "Messages"] == (
        [messages("2.00")] if units else []
    )
    assert meterage.ledgers_agree


@pytest.mark.parametrize(
    ("at", "run_at"), [("2026-05-11", "2026-05-11"), ("2026-05-12", "2026-05-13")]
)
def test_a_late_start_settles_nothing_that_may_still_be_corrected(at, run_at, waiting, meterage):
    meterage.at("2026-05-10")
    meterage.use(waiting, LIMIT + 7_000)
    meterage.at(at)
    meterage.use(waiting, 2_000)
    meterage.run(run_at)
    assert meterage.arrears(waiting) == [(7_000, False, False)]
    assert meterage.unsettled(waiting) == 2_000


def test_it_says_its_price_from_its_start_though_nothing_was_reported_since(waiting, meterage):
    meterage.run("2026-05-10")
    meterage.use(waiting, LIMIT + 7_000)
    assert price_of_more(meterage, waiting) is None
    meterage.run("2026-05-11")
    assert price_of_more(meterage, waiting) == "messages_by_use_use_usd"


def price_of_more(meterage: Meterage, actor: Actor) -> str | None:
    """The key of what is charged for use beyond the allowance now."""
    state, feature = meterage.world.state(actor), Stall(meterage.world).feature("messages")
    anchor, interval = quota_windows(state, feature)
    found = use_price(state, feature, anchor.period_at(state.now, interval))
    return found.price.lookup_key if found else None
