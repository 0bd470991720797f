"""Renewals by several workers, dying ones, and beside what cannot go on: each once all the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict
from portal.domain.instances import SubscriptionStatus
from portal.gateways.fake_payments import Fault
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import TransferRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.services import charging, instances, renewing
from portal.services.renewing import run_due
from tests.services.paying import Till
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


def test_two_workers_renew_each_subscription_once(world, till):
    actors = [world.account() for _ in range(12)]
    world.now = day(5, 1)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(world), range(4)))
    assert till.taken() == [9900] * 12
    assert all(len(renewals(world, actor)) == 1 for actor in actors)
    with world.session() as session:
        numbers = sorted(session.scalars(select(InvoiceRow.number)))
    assert numbers == list(range(1, 13)), "without gaps"
    assert till.books_agree()


def test_killed_between_invoice_and_charge_it_is_charged_once_by_reconcile(
    world, till, monkeypatch
):
    actor = world.account()

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(charging, "ask", killed)
    with pytest.raises(KeyboardInterrupt):
        run_at(world, day(5, 1))
    monkeypatch.undo()
    assert (till.taken(), len(renewals(world, actor))) == ([], 1)
    run(world)
    assert till.taken() == [], "the step is stored; its charge is not asked for twice"
    world.pass_time(minutes=2)
    till.reconcile()
    assert till.taken() == [9900]
    assert [c.status for c in collections(world, actor)] == ["paid"]
    run(world)
    till.reconcile()
    assert till.taken() == [9900]
    assert till.books_agree()


def test_killed_while_the_invoice_is_written_nothing_is_left(world, till, monkeypatch):
    actor = world.account()

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(renewing, "_write_back", killed)
    with pytest.raises(KeyboardInterrupt):
        run_at(world, day(5, 1))
    monkeypatch.undo()
    assert renewals(world, actor) == []
    run(world)
    assert (till.taken(), len(renewals(world, actor))) == ([9900], 1)


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.ERROR_KEPT, Fault.OUTAGE])
def test_an_answer_that_got_lost_is_no_decline(world, till, fault):
    actor = world.account()
    till.gateway.fail_next("charge", fault)
    run_at(world, day(5, 1))
    assert subscription(world, actor).status == SubscriptionStatus.ACTIVE
    world.pass_time(minutes=2)
    till.reconcile()
    assert till.taken() == [9900]
    assert [c.status for c in collections(world, actor)] == ["paid"]


def test_a_decline_holds_up_nobody(world, till):
    poor = [world.account(card="pm_card_chargeCustomerFail") for _ in range(3)]
    rich = [world.account() for _ in range(3)]
    run_at(world, day(5, 1))
    assert till.taken() == [9900] * 3
    assert all(subscription(world, a).status == SubscriptionStatus.PAST_DUE for a in poor)
    assert all(subscription(world, a).status == SubscriptionStatus.ACTIVE for a in rich)


def test_what_cannot_be_moved_on_holds_up_nobody(world, till, monkeypatch):
    broken, fine = world.account(), world.account()
    issue = renewing.issue_bill

    def picky(session, scope, row, made, doer):
        if row.account_id == broken.account_id:
            raise Conflict("broken")
        return issue(session, scope, row, made, doer)

    monkeypatch.setattr(renewing, "issue_bill", picky)
    run_at(world, day(5, 1))
    assert len(renewals(world, fine)) == 1
    monkeypatch.undo()
    run(world)
    assert len(renewals(world, broken)) == 1


def test_the_renewal_is_in_the_accounts_events_and_the_books(world):
    actor = world.account()
    run_at(world, day(5, 1))
    with world.session() as session:
        names = session.scalars(
            select(EventRow.name).filter_by(account_id=actor.account_id, actor="renewal")
        ).all()
        moved = {(t.debit, t.credit): t.amount_minor for t in session.scalars(select(TransferRow))}
    assert names == ["invoice:issued", "subscription:renewed", "invoice:paid"]
    assert moved == {("receivable", "revenue"): 9900, ("clearing", "receivable"): 9900}


def test_a_purchase_on_its_way_is_left_alone(world, till):
    actor = world.account(card=None)
    outcome = world.buy(actor, "onboarding")
    run_at(world, day(5, 1))
    assert till.row(outcome.purchase_id).status == "reserved"
    [invoice] = renewals(world, actor)
    assert lines(world, invoice) == [("charge", 1, 9900)]
    assert world.rows(PaymentAttemptRow) == 1


def test_bought_in_the_last_second_it_is_billed_once_from_the_boundary_on(world, till):
    """Source: I26."""
    actor = world.account()
    world.now = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    world.buy(actor, "salesforce")
    run_at(world, day(5, 1))
    assert [k for k, *_ in lines(world, renewals(world, actor)[0])].count("charge") == 2
    assert Till(world).taken() == [14900]
    with world.session() as session:
        assert run_due(session, world.scope, gateway=world.gateway, wall=world.wall).steps == 0


def test_keeping_waits_for_a_renewal_and_holds_nothing_that_it_needs(world, till):
    """Instance first and subscription second would be the other way round: a deadlock."""
    actor = world.account()
    world.buy(actor, "salesforce")
    [instance] = world.state(actor).instances
    stop(world, actor, instance.id)
    with ThreadPoolExecutor(1) as pool, world.session() as session:
        session.scalars(select(SubscriptionRow).with_for_update()).one()
        kept = pool.submit(keep, world, actor, instance.id)
        with pytest.raises(TimeoutError):
            kept.result(timeout=0.5)
        session.scalars(select(InstanceRow).with_for_update(nowait=True)).one()
        session.commit()
        assert kept.result(timeout=10).renews


def stop(world, actor, instance_id):
    with world.session() as session:
        return instances.cancel(actor, instance_id, "", session=session, wall=world.wall)


def keep(world, actor, instance_id):
    with world.session() as session:
        return instances.keep(actor, instance_id, session=session, wall=world.wall)
