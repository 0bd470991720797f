"""A plan that begins once another has ended: what it costs, what it writes, what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.events import EventName
from portal.domain.lines import LineKind
from portal.domain.plan_moves import PlanReason
from portal.domain.taxes import Tax
from portal.models.catalog import PriceRow
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.accepting import QuoteChanged
from portal.services.charging import Settled
from portal.services.plans import CannotChange
from tests.services.changing import ANNUAL, MONTHLY, Office
from tests.services.crediting import Desk
from tests.services.leaving import cancel_plan, carry, gone, on_trial, save_card, told
from tests.services.test_leaving_unpaid import pay
from tests.services.time_passing import collections, renewals, run, run_at, subscription
from tests.services.using import meter, report, used

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
MAY_31 = datetime(2026, 5, 31, 12, 30, 5, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def left(world, office):
    """Somebody whose Growth ended on 1 May, and who comes back at the end of the month."""
    actor = office.account()
    world.buy(actor, "salesforce")
    gone(world, actor)
    world.now = MAY_31
    return actor


def events(world, actor, name: str) -> list[EventRow]:
    mine = select(EventRow).filter_by(account_id=actor.account_id, name=name)
    with world.session() as session:
        return list(session.scalars(mine))


def test_the_first_whole_period_is_paid_and_the_plan_is_there(left, office, world, till):
    quote = office.quote(left, "business")
    assert quote.begins
    assert [(line.kind, line.amount.minor) for line in quote.lines] == [(LineKind.CHARGE, 29900)]
    [line] = quote.lines
    assert (line.period.start, line.period.end) == (
        MAY_31,
        datetime(2026, 6, 30, 12, 30, 5, tzinfo=UTC),
    ), "clamped to the end of June"
    before = till.taken()
    outcome = office.confirm(left, office.accept(quote))
    assert outcome == Settled(outcome.purchase_id)
    assert till.taken() == [*before, 29900]
    assert office.plan(left) == ("business", "business_monthly_usd", line.period.end)
    row = subscription(world, left)
    assert (row.status, row.started_at, row.ended_at) == ("active", MAY_31, None)
    assert row.billing_anchor_at == row.quota_anchor_at == row.plan_paid_from_at == MAY_31
    assert world.rows(SubscriptionRow, account_id=left.account_id) == 2
    assert office.bill(left) == [("charge", "Business", 29900)]
    assert till.books_agree()


def test_it_renews_at_its_own_anchor_with_what_was_bought_since(left, office, world, till):
    office.change(left, "growth")
    world.buy(left, "zendesk")
    before = till.taken()
    run_at(world, datetime(2026, 6, 30, 12, 30, 4, tzinfo=UTC))
    assert till.taken() == before, "not a second early"
    run_at(world, datetime(2026, 7, 31, 12, 30, 5, tzinfo=UTC))
    due = [row.due_at for row in renewals(world, left)][-2:]
    assert due == [
        datetime(2026, 6, 30, 12, 30, 5, tzinfo=UTC),
        datetime(2026, 7, 31, 12, 30, 5, tzinfo=UTC),
    ], "the day of its anchor, again where the month has it"
    names = [name for _, name, _ in office.bill(left)]
    assert names == ["Growth", "Zendesk connector"], "what ended before stays ended"
    assert till.books_agree()


def test_it_is_told_in_a_mail_in_the_activity_and_to_the_host(left, office, world):
    outcome = office.change(left, "business")
    [mail] = told(world, left, "purchased")[1:]
    assert (mail["purchase_id"], mail["begins"]) == (outcome.purchase_id, True)
    [begun] = events(world, left, EventName.SUBSCRIPTION_STARTED)
    row = subscription(world, left)
    assert (begun.subject, begun.detail["plan"]) == (f"subscription:{row.id}", "business")
    assert begun.person_id == left.person_id


def test_only_what_lasts_by_itself_is_left_beside_the_new_plans_units(world, office, till):
    """The year ends in the middle of a month of its quota, whose units were there already."""
    actor = office.account()
    world.buy(actor, "messages_100k_recurring")
    world.buy(actor, "sms_10k")
    office.change(actor, "growth", ANNUAL)
    ends_at = cancel_plan(world, actor)
    run_at(world, ends_at - timedelta(days=5))
    assert meter(world, actor).left == 200_000
    run_at(world, ends_at)
    assert till.holds(actor) == []
    office.change(actor, "growth")
    assert meter(world, actor).left == 100_000
    assert meter(world, actor, "sms").left == 10_000


def test_use_before_and_after_is_counted_apart(left, office, world):
    report(world, left, used("messages", 5, world.now))
    office.change(left, "growth")
    world.pass_time(minutes=1)
    report(world, left, used("messages", 7, world.now))
    assert meter(world, left).used == 7


@pytest.mark.parametrize(
    ("tax", "charged", "taxed"),
    [(Tax(Decimal(20), label="VAT"), 35880, 5980), (Tax(Decimal(20), True, "VAT"), 29900, 4983)],
)
def test_tax_is_charged_as_for_everything(tax, charged, taxed, office, world, till):
    actor = office.account(tax=tax)
    gone(world, actor)
    quote = office.quote(actor, "business")
    assert [line.amount.minor for line in quote.lines] == [29900, taxed]
    office.confirm(actor, office.accept(quote))
    assert till.taken()[-1] == charged
    assert till.books_agree()


def test_yen_and_a_year(world, office, till):
    actor = office.account(price="growth_monthly_jpy", currency="jpy")
    gone(world, actor)
    office.change(actor, "business", ANNUAL)
    assert till.taken()[-1] == 430_000
    assert office.plan(actor)[2] == datetime(2027, 5, 1, tzinfo=UTC)


def test_balance_and_carried_cents_are_in_the_price(world, office, till):
    actor = office.account()
    gone(world, actor)
    Desk(world, till).credit(1, "50.00")
    quote = office.quote(actor, "growth")
    assert [(line.kind, line.amount.minor) for line in quote.lines] == [
        (LineKind.CHARGE, 9900), (LineKind.BALANCE, -5000),
    ]  # fmt: skip
    office.confirm(actor, office.accept(quote))
    assert (till.taken(), world.state(actor).balance.minor) == ([9900, 4900], 0)
    assert office.plan(actor)[0] == "growth"
    assert till.books_agree()


def test_carried_cents_join_it(world, office, till):
    actor = office.account()
    gone(world, actor)
    carry(world, actor, 32)
    office.change(actor, "growth")
    assert (till.taken()[-1], world.state(actor).carried.minor) == (9932, 0)


@pytest.mark.parametrize(("amount", "carried"), [("0", 0), ("0.32", 32)])
def test_what_costs_nothing_or_too_little_begins_without_a_card(
    amount, carried, world, office, till
):
    actor = office.account()
    gone(world, actor)
    office.reprice("starter_monthly_usd", amount)
    before = till.taken()
    outcome = office.change(actor, "starter")
    assert isinstance(outcome, Settled)
    assert (till.taken(), office.plan(actor)[0]) == (before, "starter")
    assert world.state(actor).carried.minor == carried
    assert world.rows(InvoiceRow, purchase_id=outcome.purchase_id) == bool(carried)
    assert told(world, actor, "purchased")[-1]["sold"]
    assert till.books_agree()


def test_there_is_no_second_trial(world, office, till):
    actor = on_trial(world, world.now)
    cancel_plan(world, actor)
    run_at(world, datetime(2026, 4, 25, tzinfo=UTC))
    assert till.taken() == []
    office.change(actor, "starter")
    assert till.taken() == [2900]
    assert subscription(world, actor).status == "active"


def test_open_invoices_are_paid_first(world, office, till):
    actor = world.account(card="pm_card_chargeCustomerFail")
    run_at(world, MAY_1)
    cancel_plan(world, actor)
    run_at(world, datetime(2026, 6, 1, tzinfo=UTC))
    accepted = office.accept(office.quote(actor, "growth"))
    refused = office.confirm(actor, accepted)
    assert isinstance(refused, CannotChange)
    assert (refused.refusal.reason, refused.refusal.invoice) == (PlanReason.UNPAID, 1)
    assert world.rows(SubscriptionRow, account_id=actor.account_id) == 1


def test_what_the_old_plan_left_unbilled_is_no_debt_of_the_new_one(world, office, till):
    """Suspended on 22 May; what it had is billed to 1 June and ended on the tenth."""
    actor = office.account()
    world.buy(actor, "salesforce")
    save_card(world, actor, "pm_card_chargeCustomerFail")
    run_at(world, MAY_1)
    run_at(world, datetime(2026, 6, 10, tzinfo=UTC))
    assert cancel_plan(world, actor) == world.now
    run(world)
    save_card(world, actor)
    [owed] = [each for each in collections(world, actor) if each.status == "open"]
    assert world.state(actor).former.open_invoice == owed.invoice_id
    pay(world, actor, owed.invoice_id)
    before = till.taken()
    office.change(actor, "growth")
    run(world)
    assert till.taken() == [*before, 9900]
    run_at(world, datetime(2026, 7, 10, tzinfo=UTC))
    assert office.bill(actor) == [("charge", "Growth", 9900)]
    cancel_plan(world, actor)
    assert world.state(actor).subscription.ends_at == datetime(2026, 8, 10, tzinfo=UTC)


def test_over_by_the_clock_alone_it_waits_for_the_last_bills(world, office):
    actor = office.account()
    world.now = cancel_plan(world, actor)
    outcome = office.confirm(actor, office.accept(office.quote(actor, "growth")))
    assert isinstance(outcome, CannotChange)
    assert outcome.refusal.reason is PlanReason.CLOSING
    run(world)
    assert isinstance(office.change(actor, "growth"), Settled)


def test_a_price_holds_for_a_quarter_of_an_hour_and_while_nothing_changes(left, office, world):
    accepted = office.accept(office.quote(left, "business"))
    office.reprice("business_monthly_usd", "319")
    changed = office.confirm(left, accepted)
    assert isinstance(changed, QuoteChanged)
    assert not changed.expired
    accepted = office.accept(office.quote(left, "business"))
    world.pass_time(minutes=15)
    changed = office.confirm(left, accepted)
    assert isinstance(changed, QuoteChanged)
    assert changed.expired
    assert world.rows(SubscriptionRow, account_id=left.account_id) == 1


def test_an_older_price_of_a_change_begins_nothing(world, office):
    actor = office.account()
    accepted = office.accept(office.quote(actor, "business"))
    world.change(update(SubscriptionRow).values(ended_at=world.now, status="cancelled"))
    assert isinstance(office.confirm(actor, accepted), QuoteChanged)


def test_levels_that_will_not_fit_are_named(left, office, world):
    report(world, left, used("members", 12, world.now))
    [misfit] = office.quote(left, "growth").misfits
    assert (misfit.feature.lookup_key, int(misfit.level), misfit.limit) == ("members", 12, 10)
    assert office.quote(left, "business").misfits == ()


def test_readers_may_not_and_a_first_plan_is_the_hosts(left, office, world):
    reader = world.member(left.account_id, "reader@account1.test", Role.MEMBER)
    with pytest.raises(Forbidden):
        office.confirm(reader, office.accept(office.quote(left, "growth")))
    office.change(left, "growth", MONTHLY)
    never = world.account()
    world.change(delete(SubscriptionRow).where(SubscriptionRow.account_id == never.account_id))
    with pytest.raises(NotFound):
        office.quote(never, "growth")


def test_price_ids_for_use_are_those_that_were_shown(left, office, world):
    usage = PriceRow.type == "USAGE"
    with world.session() as session:
        ids = set(session.scalars(select(PriceRow.id).where(usage)))
    quote = office.quote(left, "business")
    office.confirm(left, office.accept(quote))
    assert set(subscription(world, left).usage_price_ids) == {p.id for p in quote.usage_prices}
    assert set(subscription(world, left).usage_price_ids) <= ids
