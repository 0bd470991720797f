"""Leaving with an open invoice or on a trial: possible, rightly told, and nothing more billed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from portal.domain.eligibility import Reason
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow
from portal.queries.addons import get_card
from portal.queries.cards import renewals as renewing
from portal.queries.usage import meters
from portal.services import invoice_payments
from portal.services.capacity import open_windows_now
from portal.services.purchases import Refused
from portal.services.reminding import remind_of_cards, remind_of_trials
from tests.services.changing import ANNUAL, Office
from tests.services.leaving import (
    cancel_plan,
    carry,
    keep_plan,
    monthly_only,
    on_trial,
    save_card,
    told,
)
from tests.services.time_passing import collections, lines, renewals, run_at, subscription
from tests.support.world import paying

APRIL_25 = datetime(2026, 4, 25, tzinfo=UTC)
MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
BAD = "pm_card_chargeCustomerFail"


def pay(world, actor, invoice: int) -> None:
    with world.session() as session:
        invoice_payments.pay(
            actor, invoice, paying(), session=session, gateway=world.gateway, wall=world.wall
        )


def test_past_due_it_can_be_cancelled_is_tried_until_the_end_and_stays_to_be_paid(world, till):
    actor = world.account(card=BAD)
    run_at(world, MAY_1)
    assert cancel_plan(world, actor) == JUNE_1
    run_at(world, datetime(2026, 5, 20, tzinfo=UTC))
    [row] = collections(world, actor)
    assert (row.status, row.retries) == ("open", 3)
    tried = world.rows(PaymentAttemptRow)
    run_at(world, datetime(2026, 5, 22, tzinfo=UTC))
    assert subscription(world, actor).status == "suspended"
    run_at(world, datetime(2026, 8, 1, tzinfo=UTC))
    assert (subscription(world, actor).status, subscription(world, actor).ended_at) == (
        "cancelled", JUNE_1,
    )  # fmt: skip
    assert (world.rows(PaymentAttemptRow), len(renewals(world, actor))) == (tried, 1)
    [ended] = told(world, actor, "plan_ended")
    assert ended["owed"]["minor"] == 9900
    save_card(world, actor)
    pay(world, actor, row.invoice_id)
    assert collections(world, actor)[0].status == "paid"
    assert subscription(world, actor).status == "cancelled"
    assert [n["next_at"] for n in told(world, actor, "renewed")] == [None]
    assert till.books_agree()


def test_a_decline_shortly_before_the_end_says_when_the_plan_ends(world, till):
    monthly_only(world, "members_5")
    office = Office(world, till)
    actor = office.account()
    world.buy(actor, "members_5")
    office.change(actor, "growth", ANNUAL)
    run_at(world, datetime(2027, 3, 20, tzinfo=UTC))
    cancel_plan(world, actor)
    save_card(world, actor, BAD)
    run_at(world, datetime(2027, 4, 20, tzinfo=UTC))
    notices = told(world, actor, "payment_failed")
    assert {notice["ends_at"] for notice in notices} == {"2027-04-11T00:00:00Z"}
    retries = [notice["retry_at"] for notice in notices]
    assert retries == [f"2027-04-0{day}T00:00:00Z" for day in (2, 5, 8)] + [None]
    assert told(world, actor, "suspended") == []


def test_a_last_bill_that_is_declined_promises_no_other_try(world):
    actor = world.account(card=BAD)
    carry(world, actor, 80)
    cancel_plan(world, actor)
    run_at(world, JUNE_1)
    [notice] = told(world, actor, "payment_failed")
    assert (notice["retry_at"], notice["ends_at"]) == (None, "2026-05-01T00:00:00Z")
    assert told(world, actor, "plan_ended")[0]["owed"]["minor"] == 80
    assert world.rows(PaymentAttemptRow) == 1
    pay(world, actor, collections(world, actor)[0].invoice_id)
    assert len(told(world, actor, "payment_failed")) == 1, "whoever pays by hand sees the page"


def test_suspended_it_ends_with_what_was_billed_or_at_once(world):
    early, late = world.account(card=BAD), world.account(card=BAD)
    run_at(world, MAY_1)
    run_at(world, datetime(2026, 5, 22, tzinfo=UTC))
    assert cancel_plan(world, early) == JUNE_1
    world.now = datetime(2026, 7, 4, 12, tzinfo=UTC)
    assert cancel_plan(world, late) == world.now
    run_at(world, world.now)
    assert [subscription(world, a).status for a in (early, late)] == ["cancelled"] * 2
    assert world.rows(InvoiceRow) == 2


def test_a_cancelled_trial_ends_with_the_trial_and_charges_nothing(world, till):
    actor = on_trial(world, datetime(2026, 4, 11, tzinfo=UTC))
    assert cancel_plan(world, actor) == APRIL_25
    world.now = datetime(2026, 4, 23, tzinfo=UTC)
    with world.session() as session:
        remind_of_trials(session, world.scope, world.wall)
    assert told(world, actor, "trial_ending") == [], "nothing is charged, so nothing is announced"
    run_at(world, APRIL_25)
    run_at(world, JUNE_1)
    assert subscription(world, actor).ended_at == APRIL_25
    assert (till.taken(), world.rows(InvoiceRow)) == ([], 0)


def test_a_kept_trial_goes_on_to_its_first_bill(world, till):
    actor = on_trial(world, datetime(2026, 4, 11, tzinfo=UTC))
    cancel_plan(world, actor)
    assert keep_plan(world, actor) == APRIL_25
    run_at(world, APRIL_25)
    assert till.taken() == [2900]
    assert subscription(world, actor).status == "active"


def test_a_trial_lets_look_and_use_but_not_buy_and_is_charged_at_its_end(world, till):
    actor = on_trial(world, datetime(2026, 4, 11, tzinfo=UTC))
    state = world.state(actor)
    assert get_card(state, actor, "messages_10k").refusal.reason is Reason.TRIALING
    outcome = world.buy(actor, "messages_10k")
    assert isinstance(outcome, Refused)
    assert outcome.refusal.reason is Reason.TRIALING
    world.pass_time(days=2)
    with world.session() as session:
        state = world.state(actor)
        open_windows_now(session, world.scope, state)
        shown = {m.feature.lookup_key: m.allowance for m in meters(session, world.scope, state)}
    assert shown["members"] == 3, "the plan's own limits hold from the first day"
    assert shown["messages"]
    assert [(r.name, r.at) for r in renewing(world.state(actor))] == [("Starter", APRIL_25)]
    run_at(world, APRIL_25 - timedelta(seconds=1))
    assert till.taken() == []
    run_at(world, APRIL_25)
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 2900)]
    assert till.taken() == [2900]


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_card_that_ends_matters_only_where_something_renews(cancelled, world):
    actor = world.account()
    ends = {"exp_year": 2026, "exp_month": 4}
    world.change(update(PaymentMethodRow).values(**ends))
    if cancelled:
        cancel_plan(world, actor)
    with world.session() as session:
        remind_of_cards(session, world.scope, world.wall)
    assert bool(told(world, actor, "card_expiring")) is not cancelled
