"""A renewal that is not paid: past due at once, tried again, suspended, and restored by paying."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.instances import SubscriptionStatus
from portal.models.accounts import PaymentMethodRow
from portal.models.catalog import PriceRow
from portal.models.events import EventRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import accounts, invoice_payments
from portal.services.invoice_payments import AtCheckout, InvoicePaid, StillOpen
from portal.services.purchases import Refused
from tests.services.time_passing import (
    collections,
    lines,
    renewals,
    run,
    run_at,
    subscription,
)
from tests.support.world import paying

FAILS, ASKS, LOST = (
    "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", "pm_card_radarBlock",
)  # fmt: skip
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


def status(world, actor) -> SubscriptionStatus:
    return SubscriptionStatus(subscription(world, actor).status)


def settle_card(world, actor, token="pm_card_visa") -> int:
    """A card that becomes the default; its id."""
    with world.session() as session:
        accounts.save_card(session, world.scope, actor.account_id, token, world.gateway, world.wall)
        mine = select(PaymentMethodRow.id).filter_by(account_id=actor.account_id, is_default=True)
        return session.scalars(mine).one()


def pay(world, actor, number: int = 0, card="default", seen: int | None = None):
    invoice = renewals(world, actor)[number]
    with world.session() as session:
        return invoice_payments.pay(
            actor, invoice.id, replace(paying(card), seen=seen),
            session=session, gateway=world.gateway, wall=world.wall,
        )  # fmt: skip


def finish(world, actor, number: int = 0):
    invoice = renewals(world, actor)[number]
    with world.session() as session:
        return invoice_payments.finish(
            actor, invoice.id, session=session, gateway=world.gateway, wall=world.wall
        )


def tries(world, actor) -> int:
    return world.rows(PaymentAttemptRow, account_id=actor.account_id)


def events(world, actor) -> list[tuple[str, datetime]]:
    with world.session() as session:
        rows = session.scalars(
            select(EventRow).filter_by(account_id=actor.account_id).order_by(EventRow.id)
        )
        return [(r.name, r.at) for r in rows if r.name.startswith("subscription:")]


def test_a_declined_renewal_is_past_due_at_once_and_everything_works_on(world, till):
    actor = world.account()
    world.buy(actor, "salesforce")
    settle_card(world, actor, FAILS)
    run_at(world, MAY_1)
    assert status(world, actor) is SubscriptionStatus.PAST_DUE
    assert till.holds(actor) == ["salesforce"], "access moves by the clock"
    [open_one] = collections(world, actor)
    assert (open_one.status, open_one.failed_at, open_one.retries) == ("open", MAY_1, 0)
    refused = world.buy(actor, "messages_100k")
    assert isinstance(refused, Refused)
    assert refused.refusal.reason == "past_due"
    assert till.books_agree()


def test_it_is_tried_again_on_days_1_4_and_7_and_suspended_on_day_21(world, till):
    actor = world.account(card=FAILS)
    for passed, attempts, standing in (
        (0, 1, "past_due"), (0.99, 1, "past_due"), (1, 2, "past_due"), (3.99, 2, "past_due"),
        (4, 3, "past_due"), (7, 4, "past_due"), (20.99, 4, "past_due"), (21, 4, "suspended"),
        (29, 4, "suspended"),
    ):  # fmt: skip
        run_at(world, MAY_1 + timedelta(days=passed))
        assert (tries(world, actor), status(world, actor)) == (attempts, standing), passed
    assert till.taken() == []


def test_downtime_changes_no_row(world):
    late, punctual = world.account(card=FAILS), world.account(card=FAILS)
    with world.session() as session:
        held = session.query(SubscriptionRow).filter_by(account_id=late.account_id).one()
        held.next_due_at = MAY_1 + timedelta(days=300)
        session.commit()
    for days in range(0, 40):
        run_at(world, MAY_1 + timedelta(days=days))
    with world.session() as session:
        held = session.query(SubscriptionRow).filter_by(account_id=late.account_id).one()
        held.next_due_at = MAY_1
        session.commit()
    run(world)
    told = [events(world, actor) for actor in (late, punctual)]
    assert told[0] == told[1]
    assert [name for name, _ in told[0]] == [
        "subscription:renewed", "subscription:past_due", "subscription:suspended",
    ]  # fmt: skip
    rows = [
        [(c.failed_at, c.retries, c.status) for c in collections(world, a)]
        for a in (late, punctual)
    ]
    assert rows[0] == rows[1]


def test_a_card_that_must_not_be_tried_again_is_not_and_the_days_go_on(world):
    actor = world.account(card=LOST)
    for days in (0, 1, 4, 7, 20):
        run_at(world, MAY_1 + timedelta(days=days))
    assert tries(world, actor) == 1
    assert collections(world, actor)[0].retries == 3
    run_at(world, MAY_1 + timedelta(days=21))
    assert status(world, actor) is SubscriptionStatus.SUSPENDED


def test_another_card_is_tried_on_the_next_day_all_the_same(world, till):
    actor = world.account(card=LOST)
    run_at(world, MAY_1)
    settle_card(world, actor)
    run_at(world, MAY_1 + timedelta(days=1))
    assert (till.taken(), status(world, actor)) == ([9900], SubscriptionStatus.ACTIVE)


def test_without_a_card_it_has_failed_already(world):
    actor = world.account(card=None)
    run_at(world, MAY_1)
    assert status(world, actor) is SubscriptionStatus.PAST_DUE
    assert tries(world, actor) == 0


def test_paying_by_hand_restores_at_once(world, till):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    assert pay(world, actor) == StillOpen()
    settle_card(world, actor)
    world.pass_time(hours=5)
    assert pay(world, actor) == InvoicePaid()
    assert (till.taken(), status(world, actor)) == ([9900], SubscriptionStatus.ACTIVE)
    assert pay(world, actor) == InvoicePaid(), "and once"
    run_at(world, MAY_1 + timedelta(days=7))
    assert till.taken() == [9900]
    assert till.books_agree()


def test_paying_at_the_hosted_page(world, till):
    actor = world.account(card=None)
    run_at(world, MAY_1)
    opened = pay(world, actor, card="new")
    assert isinstance(opened, AtCheckout)
    assert pay(world, actor, card="new") == opened
    page = opened.url.rpartition("/")[2]
    till.gateway.pay_page(page)
    assert finish(world, actor) == InvoicePaid()
    till.hear("checkout.session.completed", "checkout.session", page)
    assert (till.taken(), status(world, actor)) == ([9900], SubscriptionStatus.ACTIVE)
    assert till.cards(actor) == [("4242", True)]
    assert till.books_agree()


def test_a_bank_that_wants_to_see_the_customer(world, till):
    actor = world.account(card=ASKS)
    run_at(world, MAY_1)
    assert status(world, actor) is SubscriptionStatus.PAST_DUE
    assert pay(world, actor) == StillOpen()
    with world.session() as session:
        last = session.scalars(
            select(PaymentAttemptRow).order_by(PaymentAttemptRow.id.desc()).limit(1)
        ).one()
    assert last.page_url.startswith("https://bank.test/")
    till.gateway.pass_challenge(last.reference)
    assert finish(world, actor) == InvoicePaid()
    assert (till.taken(), status(world, actor)) == ([9900], SubscriptionStatus.ACTIVE)


def test_cycles_keep_billing_while_past_due_and_all_have_to_be_paid(world, till):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1 + timedelta(days=60))
    world.now = datetime(2026, 7, 21, tzinfo=UTC)
    opened = pay(world, actor, card="new")
    till.gateway.pay_page(opened.url.rpartition("/")[2])
    finish(world, actor)
    run_at(world, datetime(2026, 8, 2, tzinfo=UTC))
    due = [i.due_at for i in renewals(world, actor)]
    assert due == [MAY_1, datetime(2026, 7, 21, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)]
    assert [c.status for c in collections(world, actor)] == ["paid", "open", "open"]
    settle_card(world, actor)
    pay(world, actor, 2)
    assert status(world, actor) is SubscriptionStatus.PAST_DUE
    pay(world, actor, 1)
    assert status(world, actor) is SubscriptionStatus.ACTIVE
    assert till.books_agree()


def test_a_bill_at_the_instant_of_suspension_is_not_made(world):
    """Three weeks after a week's bill failed, another week would begin."""
    weekly = update(PriceRow).where(PriceRow.lookup_key == "growth_monthly_usd")
    world.change(weekly.values(billing_period="WEEKLY"))
    world.now = datetime(2026, 4, 1, tzinfo=UTC)
    actor = world.account(card=LOST)
    run_at(world, datetime(2026, 5, 30, tzinfo=UTC))
    assert status(world, actor) is SubscriptionStatus.SUSPENDED
    assert [each.due_at.day for each in renewals(world, actor)] == [8, 15, 22]
    at = datetime(2026, 4, 29, tzinfo=UTC)
    mine = {"account_id": actor.account_id, "name": "subscription:suspended"}
    with world.session() as session:
        assert session.scalars(select(EventRow).filter_by(**mine)).one().at == at


def test_suspended_it_is_not_billed_and_paying_all_goes_on_from_then(world, till):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1 + timedelta(days=80))
    assert [i.due_at for i in renewals(world, actor)] == [MAY_1], "nothing while suspended"
    settle_card(world, actor)
    world.now = datetime(2026, 7, 21, tzinfo=UTC)
    assert pay(world, actor) == InvoicePaid()
    assert status(world, actor) is SubscriptionStatus.ACTIVE
    run(world)
    second = renewals(world, actor)[1]
    assert second.due_at == world.now, "what passed is never billed"
    assert lines(world, second) == [("charge", 1, round(9900 * 11 / 31))]
    assert subscription(world, actor).billed_until_at == datetime(2026, 8, 1, tzinfo=UTC)
    run_at(world, datetime(2026, 8, 1, tzinfo=UTC))
    assert lines(world, renewals(world, actor)[2]) == [("charge", 1, 9900)]
    assert till.books_agree()


def test_an_invoice_paid_twice_keeps_one_and_returns_the_other(world, till):
    actor = world.account(card=None)
    run_at(world, MAY_1)
    opened = pay(world, actor, card="new")
    page = opened.url.rpartition("/")[2]
    with world.session() as session:
        session.query(PaymentAttemptRow).update({"status": "expired", "finished_at": world.now})
        session.commit()
    settle_card(world, actor, "pm_card_mastercard")
    assert pay(world, actor) == InvoicePaid()
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(9900, "paid_twice", "succeeded")]
    assert till.taken() == [9900, 9900]
    assert till.books_agree()


def test_others_cannot_pay_it_and_readers_may_not(world, till):
    actor, stranger = world.account(card=FAILS), world.account()
    run_at(world, MAY_1)
    invoice = renewals(world, actor)[0]
    reader = world.member(actor.account_id, "reader@account1.test", Role.MEMBER)
    for who, error in ((stranger, NotFound), (reader, Forbidden)):
        with world.session() as session, pytest.raises(error):
            invoice_payments.pay(
                who, invoice.id, paying(),
                session=session, gateway=world.gateway, wall=world.wall,
            )  # fmt: skip
