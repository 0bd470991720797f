"""Use beyond a soft limit while plans and prices change: each unit at the price that held."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Update, update

from portal.domain.plan_moves import Timing
from portal.models.subscriptions import SubscriptionRow
from portal.models.tenants import EnvironmentRow
from portal.services.charging import Settled
from tests.services.beyond import LIMIT, messages
from tests.services.changing import ANNUAL
from tests.services.leaving import cancel_plan, on_trial
from tests.services.repricing import Operator
from tests.services.using import of_plan

FEE, YEAR = ("Business", "299.00"), ("Business", "2870.00")


def version() -> Update:
    """As the catalog's own commands do: readers read it anew."""
    return update(EnvironmentRow).values(catalog_version=EnvironmentRow.catalog_version + 1)


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


def test_use_that_begins_only_after_the_change_to_a_year_is_billed_by_the_month(meterage):
    actor = meterage.account()
    meterage.at("2026-04-11")
    assert isinstance(meterage.office.change(actor, "business", ANNUAL), Settled)
    meterage.at("2026-05-20")
    meterage.use(actor, LIMIT + 10_000)
    meterage.run("2026-06-11")
    assert meterage.bills(actor)[1:] == [("2026-06-11", [messages("8.00")])]


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
