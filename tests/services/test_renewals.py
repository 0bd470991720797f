"""Renewal: one invoice for each boundary, charged once, however late and by however many."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal.domain.instances import SubscriptionStatus
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow
from portal.models.catalog import PriceRow
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import accounts, instances
from portal.services import till as services_till
from portal.services.recording import Doer
from portal.services.renewing import DOER, Ran, take_step
from tests.services.test_purchases import give_balance
from tests.services.time_passing import (
    collections,
    lines,
    renewals,
    run,
    run_at,
    subscription,
)


def day(month: int, of_month: int, hour: int = 0) -> datetime:
    return datetime(2026, month, of_month, hour, tzinfo=UTC)


def test_nothing_is_due_before_the_boundary(world):
    world.account()
    assert run_at(world, day(4, 30, 23)) == Ran(0, 0)
    assert world.rows(InvoiceRow) == 0


def test_at_the_boundary_plan_and_add_ons_are_one_invoice_and_one_charge(world, till):
    actor = world.account()
    world.buy(actor, "salesforce")
    world.buy(actor, "storage_100gb", quantity=3)
    taken = len(till.taken())
    assert run_at(world, day(5, 1)) == Ran(1, 1)
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 9900), ("charge", 1, 5000), ("charge", 3, 3000)]
    assert (invoice.status, invoice.total_minor, invoice.due_at) == ("open", 17900, day(5, 1))
    assert till.taken()[taken:] == [17900]
    [paid] = collections(world, actor)
    assert (paid.status, paid.paid_at) == ("paid", day(5, 1))
    assert subscription(world, actor).billed_until_at == day(6, 1)
    assert till.books_agree()


def test_running_again_changes_nothing(world, till):
    actor = world.account()
    run_at(world, day(5, 1))
    for _ in range(3):
        assert run(world) == Ran(0, 0)
    assert len(renewals(world, actor)) == 1
    assert till.taken() == [9900]


def test_months_later_every_boundary_has_its_own_invoice_as_on_time(world, till):
    late, punctual = world.account(), world.account()
    for actor in (late, punctual):
        world.buy(actor, "salesforce")
    for at in (day(5, 1), day(6, 1), day(7, 1), day(8, 1)):
        world.now = at
        with world.session() as session:
            due = subscription(world, punctual).id
            desk = services_till.Till(session, world.gateway, world.scope, world.wall, Doer(DOER))
            assert take_step(desk, due)
    run_at(world, day(8, 3))
    told = [
        [(i.due_at, i.issued_at, i.total_minor, lines(world, i)) for i in renewals(world, actor)]
        for actor in (late, punctual)
    ]
    assert told[0] == told[1]
    assert [at for at, *_ in told[0]] == [day(5, 1), day(6, 1), day(7, 1), day(8, 1)]
    paid = [[c.paid_at for c in collections(world, actor)] for actor in (late, punctual)]
    assert paid[0] == paid[1]
    assert till.books_agree()


def test_what_is_cancelled_is_not_billed_and_what_is_kept_is(world, till):
    actor = world.account()
    for add_on in ("salesforce", "zendesk"):
        world.buy(actor, add_on)
    held = {i.add_on.lookup_key: i.id for i in world.state(actor).held}
    with world.session() as session:
        for key in held:
            instances.cancel(actor, held[key], "", session=session, wall=world.wall)
        instances.keep(actor, held["zendesk"], session=session, wall=world.wall)
    run_at(world, day(5, 1))
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 9900), ("charge", 1, 3500)]
    assert till.holds(actor) == ["zendesk"]


def test_one_time_add_ons_are_never_billed_again(world):
    actor = world.account()
    for add_on in ("messages_100k", "onboarding", "sms_10k"):
        world.buy(actor, add_on)
    run_at(world, day(5, 1))
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 9900)]


def test_a_monthly_add_on_on_an_annual_plan_has_twelve_boundaries(world, till):
    actor = world.account(price="growth_annual_usd")
    world.buy(actor, "messages_100k")
    with world.session() as session:
        session.query(PriceRow).filter_by(lookup_key="salesforce_annual_usd").update(
            {"ended_at": world.now}
        )
        session.commit()
    world.change()
    world.buy(actor, "salesforce")
    for month in (5, 6, 7):
        run_at(world, day(month, 1))
    found = [(i.due_at, lines(world, i)) for i in renewals(world, actor)]
    assert found == [(day(m, 1), [("charge", 1, 5000)]) for m in (5, 6, 7)]


def test_tax_carried_cents_and_balance_are_on_the_bill(world, till):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    world.now = day(4, 30, 22)
    world.buy(actor, "salesforce")
    carried = world.state(actor).carried.minor
    assert carried > 0
    run_at(world, day(5, 1))
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [
        ("charge", 1, 9900), ("tax", 1, 1980), ("charge", 1, 5000), ("tax", 1, 1000),
        ("carried", 1, carried),
    ]  # fmt: skip
    assert till.taken() == [17880 + carried]
    assert world.state(actor).carried.minor == 0
    assert till.books_agree()


def test_a_bill_below_the_least_charge_is_carried(world, till):
    actor = world.account()
    give_balance(world, actor, 9880)
    run_at(world, day(5, 1))
    [invoice] = renewals(world, actor)
    assert (invoice.status, invoice.charged_minor, invoice.carried_out_minor) == ("carried", 0, 20)
    assert (till.taken(), collections(world, actor)) == ([], [])
    assert world.state(actor).balance.minor == 0
    run_at(world, day(6, 1))
    assert till.taken() == [9920]
    assert till.books_agree()


def test_a_balance_that_pays_it_all_needs_no_card(world, till):
    actor = world.account(card=None)
    give_balance(world, actor, 9900)
    run_at(world, day(5, 1))
    [invoice] = renewals(world, actor)
    assert (invoice.status, invoice.balance_applied_minor) == ("paid", 9900)
    assert subscription(world, actor).status == SubscriptionStatus.ACTIVE


@pytest.mark.parametrize("anchor", [29, 30, 31])
def test_anchors_at_the_end_of_the_month_over_48_months(world, anchor):
    since = datetime(2026, 1, anchor, tzinfo=UTC)
    world.now = since + timedelta(hours=1)
    actor = world.account(since=since)
    run_at(world, datetime(2030, 1, anchor, tzinfo=UTC))
    dates = [i.due_at.astimezone(UTC) for i in renewals(world, actor)]
    assert len(dates) == 48
    for at in dates:
        assert at.day == min(anchor, monthrange(at.year, at.month)[1])
    assert {i.total_minor for i in renewals(world, actor)} == {9900}


def test_a_zone_with_summer_time_renews_at_local_midnight(world):
    since = datetime(2026, 2, 28, 23, tzinfo=UTC)  # 1 March in Berlin
    world.now = since + timedelta(days=1)
    actor = world.account(since=since, zone="Europe/Berlin", plan="growth")
    run_at(world, datetime(2026, 12, 15, tzinfo=UTC))
    hours = [i.due_at.astimezone(UTC).hour for i in renewals(world, actor)]
    assert hours == [22, 22, 22, 22, 22, 22, 22, 23, 23]


def test_each_account_lives_by_its_own_clock(world, till):
    early, usual = world.account(), world.account()
    with world.session() as session:
        row = session.get_one(AccountRow, (world.scope.environment_id, early.account_id))
        row.test_clock_at = day(6, 2)
        session.commit()
    assert run(world) == Ran(1, 2)
    assert [i.due_at for i in renewals(world, early)] == [day(5, 1), day(6, 1)]
    assert renewals(world, usual) == []


def test_a_trial_is_free_and_its_end_is_the_first_bill(world, till):
    actor = world.account()
    with world.session() as session:
        session.query(PriceRow).filter_by(lookup_key="starter_monthly_usd").update(
            {"trial_period_days": 14}
        )
        session.commit()
    world.change()
    with world.session() as session:
        session.query(SubscriptionRow).filter_by(account_id=actor.account_id).delete()
        plan = next(p for p in world.catalog().plans if p.lookup_key == "starter")
        price = next(p for p in plan.prices if p.lookup_key == "starter_monthly_usd")
        accounts.subscribe(session, world.scope, actor.account_id, plan, price, day(4, 11))
    assert subscription(world, actor).status == SubscriptionStatus.TRIALING
    assert run_at(world, day(4, 24, 23)) == Ran(0, 0)
    run_at(world, day(4, 25))
    [invoice] = renewals(world, actor)
    assert (invoice.due_at, lines(world, invoice)) == (day(4, 25), [("charge", 1, 2900)])
    row = subscription(world, actor)
    assert (row.status, row.billed_until_at) == (SubscriptionStatus.ACTIVE, day(5, 25))
