"""Coming back, and its money: exactly once, another card, late, and beside others who begin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.domain.access import Role
from portal.domain.declines import DeclineReason
from portal.domain.legal import CustomerType
from portal.domain.money import Money
from portal.domain.payments import Declined
from portal.domain.plan_moves import PlanReason
from portal.domain.purchases import Failure
from portal.domain.spending import Mode, PassesCeiling
from portal.gateways.fake_payments import Fault
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.purchases import Step
from portal.services import accounts, settlement
from portal.services.accounts import NewAccount
from portal.services.beginnings import Beginning
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.host_accounts import Put, Wanted, put
from portal.services.plans import CannotChange
from tests.services.changing import ANNUAL, Office
from tests.services.consuming import START, Consumer, sent_back
from tests.services.leaving import gone
from tests.services.living import Crash
from tests.services.recharging import Recharge
from tests.services.test_late_money import let_go_unheard
from tests.services.time_passing import run_at, subscription

JUNE_2 = datetime(2026, 6, 2, 8, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def left(world, office):
    """Somebody whose Growth has ended, with a card."""
    return _left(world, office)


def _left(world, office, **given):
    actor = office.account(**given)
    gone(world, actor)
    world.now = JUNE_2
    return actor


def typed(office, actor, plan="growth"):
    """A new card is to pay for it."""
    outcome = office.confirm(actor, office.accept(office.quote(actor, plan)), "new")
    assert isinstance(outcome, NeedsCheckout)
    return outcome.purchase_id


def host_begins(world, actor, plan="starter"):
    """What the host's PUT comes to."""
    key = f"account{world.key_of(actor)}"
    wanted = Wanted(
        NewAccount(key, key.title(), "usd"), None, Beginning(plan, f"{plan}_monthly_usd", None)
    )
    with world.session() as session:
        return put(session, world.scope, wanted, "key:host", world.wall)


def live(world, actor) -> int:
    return world.rows(SubscriptionRow, account_id=actor.account_id, ended_at=None)


def test_a_decline_begins_nothing_and_another_card_pays(left, office, till, world):
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=True))
    outcome = office.change(left, "growth")
    assert outcome == Unpaid(outcome.purchase_id)
    assert live(world, left) == 0
    assert till.shown(left, outcome.purchase_id).step is Step.TO_PAY
    assert world.state(left).plan_purchase_id == outcome.purchase_id
    assert isinstance(till.pay(left, outcome.purchase_id, "new"), NeedsCheckout)
    till.gateway.pay_page(till.page(outcome.purchase_id), "mastercard")
    assert till.finish(left, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert (office.plan(left)[0], till.taken()) == ("growth", [9900, 9900])
    assert till.books_agree()


def test_the_bank_may_want_to_see_the_customer(world, office, till):
    actor = _left(world, office)
    with world.session() as session:
        accounts.save_card(
            session, world.scope, actor.account_id, "pm_card_authenticationRequired",
            world.gateway, world.wall,
        )  # fmt: skip
    outcome = office.change(actor, "growth")
    assert till.shown(actor, outcome.purchase_id).step is Step.AT_BANK
    assert live(world, actor) == 0
    assert till.stop(actor, outcome.purchase_id) == Ended(outcome.purchase_id)
    assert (live(world, actor), till.taken()) == (0, [9900])


def test_half_an_hour_at_the_checkout_counts_from_the_quote(left, office, till, world):
    purchase_id = typed(office, left)
    [attempt] = till.attempts(purchase_id)
    assert attempt.params["description"] == "Growth"
    world.pass_time(minutes=30)
    page = till.page(purchase_id)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    till.finish(left, purchase_id)
    world.pass_time(minutes=5)
    till.reconcile()
    row = subscription(world, left)
    assert (row.billing_anchor_at, row.billed_until_at) == (JUNE_2, JUNE_2.replace(month=7))
    assert (till.taken(), world.rows(InvoiceRow)) == ([9900, 9900], 2)
    assert till.books_agree()


def test_a_lost_answer_is_asked_again_under_the_same_key(left, office, till, world):
    till.gateway.answers.append(Fault.ANSWER_LOST)
    outcome = office.change(left, "growth")
    assert (outcome, live(world, left)) == (Pending(outcome.purchase_id), 0)
    world.pass_time(minutes=2)
    till.reconcile()
    assert till.finish(left, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert (live(world, left), till.taken()) == (1, [9900, 9900])


def test_dying_while_it_begins_leaves_all_to_the_next_look(left, office, till, world, monkeypatch):
    real = settlement.begin_paid

    def dies(*args):
        real(*args)
        raise Crash

    monkeypatch.setattr(settlement, "begin_paid", dies)
    with pytest.raises(Crash):
        office.change(left, "growth")
    assert (live(world, left), till.taken()) == (0, [9900, 9900])
    monkeypatch.setattr(settlement, "begin_paid", real)
    world.pass_time(minutes=2)
    till.reconcile()
    assert (live(world, left), till.taken()) == (1, [9900, 9900])
    assert till.books_agree()


def test_the_same_form_twice_is_one_purchase(left, office, till, world):
    accepted = office.accept(office.quote(left, "growth"))
    first = office.confirm(left, accepted)
    assert office.confirm(left, accepted) == first == Settled(first.purchase_id)
    assert (live(world, left), till.taken()) == (1, [9900, 9900])


def test_many_at_once_begin_one_plan(left, office, till, world):
    """Two forms of each of two members, each posted twice."""
    other = world.member(left.account_id, "other@account1.test", Role.BILLING)
    forms = [
        (who, office.accept(office.quote(who, plan)))
        for who in (left, other)
        for plan in ("growth", "business")
    ]
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda each: office.confirm(*each), forms * 2))
    world.pass_time(minutes=2)
    till.reconcile()
    settled = {each.purchase_id for each in done if isinstance(each, Settled)}
    assert len(settled) == live(world, left) == 1
    assert len(till.taken()) == 2
    assert world.rows(PurchaseRow, status="settled") == 1
    assert till.books_agree()


def test_another_members_open_payment_is_named(left, office, till, world):
    purchase_id = typed(office, left)
    other = world.member(left.account_id, "other@account1.test", Role.BILLING)
    blocked = office.change(other, "business")
    assert isinstance(blocked, CannotChange)
    assert blocked.refusal.reason is PlanReason.PAYMENT_PENDING
    assert blocked.refusal.purchase_id == purchase_id
    newer = office.change(left, "business")
    assert isinstance(newer, Settled), "one's own is called off"
    assert till.row(purchase_id).failure == Failure.STOPPED


def test_the_host_waits_for_a_member_who_pays(left, office, till, world):
    purchase_id = typed(office, left)
    [unfit] = host_begins(world, left)
    assert unfit.field == ("subscription", "plan")
    assert "a member is paying" in unfit.detail
    till.gateway.pay_page(till.page(purchase_id))
    assert till.finish(left, purchase_id) == Settled(purchase_id)
    [unfit] = host_begins(world, left)
    assert "the account is on growth" in unfit.detail
    assert isinstance(host_begins(world, left, "growth"), Put)


def test_members_and_the_host_at_once_begin_one_plan(world, office, till):
    for round_ in range(6):
        actor = _left(world, office)
        accepted = office.accept(office.quote(actor, "growth"))
        taken = len(till.taken())
        with ThreadPoolExecutor(2) as threads:
            theirs = threads.submit(host_begins, world, actor)
            ours = threads.submit(office.confirm, actor, accepted)
        paid = isinstance(ours.result(), Settled)
        assert paid is not isinstance(theirs.result(), Put), round_
        assert live(world, actor) == 1
        assert len(till.taken()) - taken == paid, "nobody pays for what is not given"
    assert till.refunds() == []


def test_money_that_comes_after_the_host_has_begun_another_goes_back(left, office, till, world):
    purchase_id = typed(office, left)
    page = let_go_unheard(till, left, purchase_id)
    assert isinstance(host_begins(world, left), Put)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(9900, "moved_on", "succeeded")]
    assert (live(world, left), office.plan(left)[0]) == (1, "starter")
    assert till.row(purchase_id).failure == Failure.UNDELIVERABLE
    assert till.books_agree()


@pytest.mark.parametrize("again", [False, True])
def test_late_money_begins_it_where_nothing_else_has(again, left, office, till, world):
    purchase_id = typed(office, left)
    page = let_go_unheard(till, left, purchase_id)
    if again:
        office.change(left, "business")
        gone(world, left)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert live(world, left) == (not again)
    assert [why for _, why, _ in till.refunds()] == ["period_over"] * again
    assert till.books_agree()


def test_nothing_begins_for_money_that_comes_after_its_period(left, office, till, world):
    purchase_id = typed(office, left)
    world.now = JUNE_2.replace(month=7)
    till.gateway.pay_page(till.page(purchase_id))
    till.finish(left, purchase_id)
    assert till.refunds() == [(9900, "period_over", "succeeded")]
    assert live(world, left) == 0


def test_the_ceiling_counts_it(left, office, world):
    Recharge(world).limit(left, Mode.STOP, 9899)
    stopped = office.change(left, "growth")
    assert stopped == PassesCeiling(Money(9899, "usd"), Money(9899, "usd"), Money(9900, "usd"))
    Recharge(world).limit(left, Mode.STOP, 9900)
    assert isinstance(office.change(left, "growth"), Settled)


def test_an_upgrade_then_credits_what_is_unused_of_it(left, office, till, world):
    office.change(left, "growth")
    world.now = JUNE_2.replace(day=17)
    office.change(left, "business")
    assert office.bill(left) == [("credit", "Growth", -4950), ("charge", "Business", 14950)]
    office.change(left, "business", ANNUAL)
    assert till.books_agree()


def test_a_consumer_may_withdraw_from_it_and_come_back_again(world, office, till):
    actor = _left(world, office, country="FR", customer_type=CustomerType.CONSUMER)
    consumer = Consumer(world, actor)
    accepted = office.accept(office.quote(actor, "growth"))
    office.confirm(actor, replace(accepted, agreed=START))
    world.pass_time(days=3)
    assert consumer.may_leave_the_plan()
    made = consumer.withdraw(None)
    assert made is not None
    assert sent_back(till) == [(8910, "succeeded")], "27 of 30 days"
    assert live(world, actor) == 0
    assert isinstance(office.change(actor, "growth"), Settled)
    assert consumer.withdraw(None) is not None
    assert sent_back(till)[1:] == [(9900, "succeeded")], "nobody asked for a start"
    run_at(world, JUNE_2.replace(month=9))
    assert till.taken() == [9900] * 3
    assert till.books_agree()
