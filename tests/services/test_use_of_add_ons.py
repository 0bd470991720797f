"""An add-on that charges for use: each unit once, while it is held, and never after."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import update

from portal.domain.access import Actor
from portal.domain.catalog import Status
from portal.domain.money import Money
from portal.domain.quotas import Allowed, RefusedUse
from portal.domain.quotes import Start
from portal.models.subscriptions import SubscriptionRow
from portal.services.charging import Settled
from portal.services.quota import check
from tests.services.beyond import Meterage, messages
from tests.services.by_use import NAME, buy, by_use, cancel, sell
from tests.services.changing import ANNUAL
from tests.services.leaving import cancel_plan, keep_add_on, monthly_only
from tests.support.world import World
from tests.unit.samples import instant

PLAN, FREE = ("Growth", "99.00"), (NAME, "0.00")
LIMIT = 100_000
"""Messages that Growth brings each month, and lets nobody pass."""


def asked(world: World, actor: Actor, units: int) -> Allowed | RefusedUse:
    with world.session() as session:
        return check(
            session, world.scope, actor.account_id, "messages", Decimal(units), wall=world.wall
        )


def run_by(meterage: Meterage, runs: tuple[str, ...], at: str) -> None:
    """What the jobs do up to then, and then it is then."""
    for each in runs:
        if meterage.world.now < instant(each) <= instant(at):
            meterage.run(each)
    meterage.at(at)


@pytest.fixture
def growth(meterage):
    """On Growth from 1 April, by the month."""
    sell(meterage)
    return meterage.account("growth_monthly_usd", "growth")


def test_nothing_is_due_now_and_what_is_used_beyond_the_plan_is_billed_at_the_boundary(
    growth, meterage, world
):
    meterage.at("2026-04-11")
    quote = world.quote(growth, "messages_by_use")
    assert quote.due == Money(0, "usd")
    assert [price.lookup_key for price in quote.usage_prices] == ["messages_by_use_use_usd"]
    buy(meterage, growth)
    meterage.use(growth, LIMIT + 10_000)
    assert meterage.foreseen(growth)[0] == (datetime(2026, 5, 1, tzinfo=UTC), [9900, 0, 1000])
    meterage.run("2026-05-01")
    assert meterage.bills(growth) == [("2026-05-01", [PLAN, FREE, messages("10.00")])]
    meterage.use(growth, LIMIT + 2_000)
    meterage.run("2026-06-01")
    assert meterage.bills(growth)[1:] == [("2026-06-01", [PLAN, FREE, messages("2.00")])]
    meterage.run("2026-07-01")
    assert meterage.bills(growth)[2:] == [("2026-07-01", [PLAN, FREE])]
    assert meterage.ledgers_agree


def test_what_was_used_before_it_began_is_not_charged_for(growth, meterage):
    meterage.at("2026-04-05")
    meterage.use(growth, LIMIT + 7_000)
    meterage.at("2026-04-11")
    buy(meterage, growth)
    assert meterage.arrears(growth) == [(7_000, False, False)]
    meterage.use(growth, 3_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 0, 300]
    meterage.run("2026-05-01")
    assert meterage.bills(growth) == [("2026-05-01", [PLAN, FREE, messages("3.00")])]
    assert meterage.ledgers_agree


def test_while_it_is_held_a_check_passes_the_limit_of_the_plan(growth, meterage, world):
    meterage.at("2026-04-11")
    meterage.use(growth, LIMIT)
    assert isinstance(asked(world, growth, 5), RefusedUse)
    buy(meterage, growth)
    allowed = asked(world, growth, 5)
    assert isinstance(allowed, Allowed)
    assert allowed.excess == 5


def test_cancelled_it_charges_until_its_end_and_never_after(growth, meterage):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    cancel(meterage, growth)
    meterage.use(growth, LIMIT + 10_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 1000]
    meterage.at("2026-05-01 03:00")
    assert meterage.use(growth, 1_000, at="2026-04-30 23:00") == "counted"
    meterage.use(growth, LIMIT + 5_000)
    meterage.run("2026-05-01 04:00")
    assert meterage.bills(growth) == [("2026-05-01", [PLAN, messages("11.00")])]
    meterage.run("2026-06-01")
    assert meterage.bills(growth)[1:] == [("2026-06-01", [PLAN])]
    assert meterage.ledgers_agree


def test_kept_after_all_it_goes_on_charging(growth, meterage, world):
    meterage.at("2026-04-11")
    bought = buy(meterage, growth)
    cancel(meterage, growth)
    keep_add_on(world, growth, bought)
    meterage.run("2026-05-01")
    meterage.use(growth, LIMIT + 2_000)
    meterage.run("2026-06-01")
    assert meterage.bills(growth)[1:] == [("2026-06-01", [PLAN, FREE, messages("2.00")])]


def test_a_suspended_account_pays_for_what_it_used_when_it_is_restored(growth, meterage, world):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    meterage.use(growth, LIMIT + 2_000)
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == growth.account_id)
    world.change(mine.values(status="suspended"))
    meterage.run("2026-06-10")
    assert meterage.bills(growth) == []
    restored = {"status": "active", "resumed_at": world.now, "next_due_at": world.now}
    world.change(mine.values(**restored))
    meterage.run("2026-06-10")
    meterage.run("2026-08-01")
    billed = [
        each for _, lines in meterage.bills(growth) for each in lines if each[0] == "Messages"
    ]
    assert billed == [messages("2.00")]
    assert meterage.ledgers_agree


@pytest.mark.parametrize("runs", [("2026-05-01", "2026-05-11"), ()], ids=["on time", "late"])
def test_an_end_within_a_quota_window_splits_its_use_there(runs, meterage):
    """The year began on 11 April: the add-on ends on the 11th, messages begin on the 1st."""
    sell(meterage)
    actor = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    assert isinstance(meterage.office.change(actor, "growth", ANNUAL), Settled)
    monthly_only(meterage.world, "messages_by_use")
    buy(meterage, actor)
    cancel(meterage, actor)
    for at, units in (("2026-04-20", 2_000), ("2026-05-10", 3_000)):
        run_by(meterage, runs, at)
        meterage.use(actor, LIMIT + units)
    run_by(meterage, runs, "2026-05-12")
    meterage.use(actor, 50_000)
    meterage.run("2026-07-12")
    billed = [each for _, lines in meterage.bills(actor)[1:] for each in lines]
    assert billed == [messages("2.00"), messages("3.00")]
    assert meterage.ledgers_agree


def test_bought_for_the_next_cycle_it_charges_from_there(growth, meterage):
    meterage.at("2026-04-11")
    buy(meterage, growth, start=Start.NEXT_CYCLE)
    meterage.use(growth, LIMIT + 7_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 0]
    meterage.at("2026-05-03")
    meterage.use(growth, LIMIT + 2_000)
    meterage.run("2026-06-03")
    assert [lines for _, lines in meterage.bills(growth)] == [
        [PLAN, FREE], [PLAN, FREE, messages("2.00")],
    ]  # fmt: skip
    assert meterage.ledgers_agree


def test_its_price_takes_the_place_of_the_plans_and_gives_it_back(meterage):
    sell(meterage)
    actor = meterage.account()
    meterage.at("2026-04-11")
    meterage.use(actor, 510_000)
    buy(meterage, actor)
    cancel(meterage, actor)
    meterage.use(actor, 10_000)
    assert meterage.foreseen(actor)[0][1] == [29900, 800, 1000]
    meterage.run("2026-05-01")
    meterage.use(actor, 510_000)
    meterage.run("2026-06-01")
    assert meterage.bills(actor)[1:] == [("2026-06-01", [("Business", "299.00"), messages("8.00")])]
    assert meterage.ledgers_agree


def test_of_two_that_charge_for_it_the_one_begun_last_does(growth, meterage):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    archived = by_use(meterage, status=Status.ARCHIVED)
    sell(meterage, archived, by_use(meterage, "0.002", key="messages_dearer"))
    meterage.use(growth, LIMIT + 1_000)
    meterage.at("2026-04-12")
    buy(meterage, growth, "messages_dearer")
    meterage.use(growth, 1_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 0, 0, 100, 200]


def test_it_stays_with_another_plan_and_ends_with_one_that_cannot_have_it(meterage):
    sell(meterage, by_use(meterage, allowed_plans=("growth", "business")))
    actor = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    buy(meterage, actor)
    meterage.use(actor, LIMIT + 1_000)
    assert isinstance(meterage.office.change(actor, "business"), Settled)
    assert meterage.arrears(actor) == [(1_000, True, False)]
    meterage.office.change(actor, "starter")
    meterage.at("2026-05-02")
    meterage.use(actor, 900_000)
    assert [len(amounts) for _, amounts in meterage.foreseen(actor)] == [2, 1, 1]
    meterage.run("2026-05-03")
    meterage.run("2026-06-01")
    billed = [each for _, lines in meterage.bills(actor) for each in lines if each[0] == "Messages"]
    assert billed == [messages("1.00")]
    assert meterage.ledgers_agree


def test_the_last_bill_of_a_cancelled_plan_has_it(growth, meterage, world):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    cancel_plan(world, growth)
    meterage.use(growth, LIMIT + 10_000)
    meterage.run("2026-05-03")
    assert meterage.bills(growth) == [("2026-05-01", [messages("10.00")])]
    assert meterage.ledgers_agree


def test_taken_away_and_bought_again_only_what_was_used_meanwhile_is_free(growth, meterage, desk):
    meterage.at("2026-04-11")
    bought = buy(meterage, growth)
    meterage.at("2026-04-12")
    meterage.use(growth, LIMIT + 4_000)
    desk.end(bought)
    meterage.at("2026-04-20")
    meterage.use(growth, 5_000)
    assert meterage.arrears(growth) == [(4_000, True, False)]
    buy(meterage, growth)
    meterage.use(growth, 1_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 0, 500]
    meterage.run("2026-05-01")
    assert meterage.bills(growth)[-1] == ("2026-05-01", [PLAN, FREE, messages("5.00")])
    assert meterage.arrears(growth) == [
        (4_000, True, True),
        (5_000, False, False),
        (1_000, True, True),
    ]
    assert meterage.ledgers_agree


def test_dearer_in_the_catalog_it_costs_its_holder_what_it_did(growth, meterage, world):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    sell(meterage, by_use(meterage, "0.005"))
    meterage.use(growth, LIMIT + 10_000)
    assert meterage.foreseen(growth)[0][1] == [9900, 0, 1000]
