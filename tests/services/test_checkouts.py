"""Paying with a card typed on the processor's page: there, back, late, twice and not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import Conflict, Forbidden, NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import PageStatus
from portal.domain.purchases import Failure
from portal.domain.taxes import Tax
from portal.gateways.fake_payments import Fault
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.models.subscriptions import InstanceRow
from portal.queries.purchases import Step
from portal.services.charging import Ended, NeedsCheckout, Settled
from portal.services.waiting import NoTimeForCheckout

CONNECTOR, ONBOARDING, PACK = "salesforce", "onboarding", "messages_100k"


def test_without_a_card_the_purchase_goes_by_the_hosted_page(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    assert isinstance(outcome, NeedsCheckout)
    page = till.gateway.read_page(till.page(outcome.purchase_id))
    assert (page.url, page.amount) == (outcome.url, Money(3333, "usd"))
    assert till.holds(buyer) == []
    assert world.rows(InvoiceRow) == 0
    till.gateway.pay_page(page.reference)
    assert till.holds(buyer) == [], "nothing is unlocked before we know"
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.holds(buyer) == [CONNECTOR]
    assert (till.taken(), till.cards(buyer)) == ([3333], [("4242", True)])
    with world.session() as session:
        invoice = session.scalars(select(InvoiceRow)).one()
    assert (invoice.charged_minor, invoice.card_last4) == (3333, "4242")
    assert till.books_agree()


def test_yen_are_asked_for_without_cents(world, till):
    actor = world.account(
        plan="starter", price="starter_monthly_jpy", currency="jpy", zone="Asia/Tokyo",
        tax=Tax(Decimal(10), True, "Consumption tax"), card=None,
    )  # fmt: skip
    outcome = world.buy(actor, "messages_10k")
    amount = till.gateway.read_page(till.page(outcome.purchase_id)).amount
    assert amount == Money(1050, "jpy")
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.finish(actor, outcome.purchase_id)
    assert till.taken() == [1050]


def test_the_page_ends_before_the_purchase_lets_go(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    [attempt] = till.attempts(outcome.purchase_id)
    ends = datetime.fromisoformat(attempt.params["expires_at"])
    assert 30 * 60 < (ends - world.now).total_seconds() < 35 * 60
    held = till.row(outcome.purchase_id).held_until
    assert (held - world.now).total_seconds() == 35 * 60


def test_the_next_purchase_is_charged_to_the_card_that_was_typed(world, till, buyer):
    first = world.buy(buyer, CONNECTOR)
    till.gateway.pay_page(till.page(first.purchase_id), "mastercard")
    till.finish(buyer, first.purchase_id)
    assert isinstance(world.buy(buyer, PACK), Settled)
    assert till.taken() == [3333, 4900]
    assert till.gateway.calls[0].card_ref.startswith("pm_card_mastercard")


EVENTS = (
    ("payment_intent.succeeded", "payment_intent"),
    ("checkout.session.completed", "checkout.session"),
    ("payment_method.attached", "payment_method"),
    ("return", ""),
)


def test_every_order_of_return_and_events_ends_alike(world, till):
    for count, order in enumerate(permutations(range(4)), 1):
        actor = world.account(card=None)
        outcome = world.buy(actor, "messages_10k")
        page = till.page(outcome.purchase_id)
        paid = till.gateway.pay_page(page)
        card = till.gateway.read_page(page).card
        for number in (*order, *order):
            kind, thing = EVENTS[number]
            if thing:
                till.hear(kind, thing, (paid.reference, page, card.reference)[number])
            else:
                till.finish(actor, outcome.purchase_id)
        assert till.holds(actor) == ["messages_10k"], order
        assert till.cards(actor) == [("4242", True)], order
        assert world.rows(InvoiceRow) == world.rows(InstanceRow) == count
    assert till.refunds() == []
    assert till.books_agree()


def test_return_page_and_webhook_at_once_settle_once(world, till, buyer):
    outcome = world.buy(buyer, PACK)
    page = till.page(outcome.purchase_id)
    till.gateway.pay_page(page)

    def come(number: int) -> None:
        if number % 2:
            till.hear("checkout.session.completed", "checkout.session", page)
        else:
            till.finish(buyer, outcome.purchase_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come, range(16)))
    assert world.rows(InvoiceRow) == 1
    assert (till.taken(), till.refunds(), till.cards(buyer)) == ([4900], [], [("4242", True)])
    assert till.books_agree()


def test_the_form_sent_again_leads_to_the_same_page(world, till, buyer):
    accepted = world.accept(world.quote(buyer, CONNECTOR))
    first = world.confirm(buyer, accepted)
    assert world.confirm(buyer, accepted) == first
    with ThreadPoolExecutor(6) as pool:
        again = set(pool.map(lambda _: world.confirm(buyer, accepted), range(6)))
    assert again == {first}
    assert world.rows(PaymentAttemptRow) == 1


def test_a_card_refused_on_the_page_may_be_followed_by_another_there(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    page = till.page(outcome.purchase_id)
    declined = till.gateway.pay_page(page, "visa_chargeDeclined")
    till.hear("payment_intent.payment_failed", "payment_intent", declined.reference)
    assert till.finish(buyer, outcome.purchase_id) == outcome
    till.gateway.pay_page(page)
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.taken() == [3333]


def test_an_abandoned_page_is_gone_on_with(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    shown = till.shown(buyer, outcome.purchase_id)
    assert (shown.step, shown.attempt.page_url) == (Step.AT_CHECKOUT, outcome.url)
    world.pass_time(minutes=20)
    assert till.pay(buyer, outcome.purchase_id, "new") == outcome, "no second page"
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.finish(buyer, outcome.purchase_id)
    assert (till.taken(), till.holds(buyer)) == ([3333], [CONNECTOR])


def test_an_expired_page_lets_the_purchase_be_paid_on_a_new_one_in_time(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    till.gateway.expire_page(till.page(outcome.purchase_id))
    till.hear("checkout.session.expired", "checkout.session", till.page(outcome.purchase_id))
    assert till.shown(buyer, outcome.purchase_id).step is Step.TO_PAY
    again = till.pay(buyer, outcome.purchase_id, "new")
    assert isinstance(again, NeedsCheckout)
    assert again.url != outcome.url
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert world.rows(InstanceRow) == 1


def test_what_nobody_pays_is_let_go(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    world.pass_time(minutes=34)
    assert till.reconcile().still_open == 0
    assert till.row(outcome.purchase_id).status == "reserved"
    till.gateway.expire_page(till.page(outcome.purchase_id))
    world.pass_time(minutes=1)
    till.reconcile()
    shown = till.shown(buyer, outcome.purchase_id)
    assert (shown.status, shown.failure, shown.step) == ("failed", Failure.LAPSED, Step.ENDED)
    assert isinstance(till.pay(buyer, outcome.purchase_id, "new"), Ended)
    assert isinstance(world.buy(buyer, ONBOARDING), NeedsCheckout), "and can be bought anew"
    assert till.taken() == []


def test_a_purchase_called_off_frees_its_place_and_closes_its_page(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    page = till.page(outcome.purchase_id)
    assert till.stop(buyer, outcome.purchase_id) == Ended(outcome.purchase_id)
    assert till.gateway.read_page(page).status is PageStatus.EXPIRED
    assert till.shown(buyer, outcome.purchase_id).failure is Failure.STOPPED
    assert till.stop(buyer, outcome.purchase_id) == Ended(outcome.purchase_id)
    assert isinstance(world.buy(buyer, ONBOARDING), NeedsCheckout)


def test_a_purchase_paid_while_it_is_called_off_is_kept(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.stop(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert (till.holds(buyer), till.refunds()) == ([CONNECTOR], [])


def test_a_newer_form_replaces_an_older_page(world, till, buyer):
    first = world.buy(buyer, PACK)
    page = till.page(first.purchase_id)
    second = world.buy(buyer, PACK, quantity=2)
    assert isinstance(second, NeedsCheckout)
    assert till.gateway.read_page(page).status is PageStatus.EXPIRED
    till.gateway.pay_page(till.page(second.purchase_id))
    till.finish(buyer, second.purchase_id)
    assert till.taken() == [9800]
    assert world.rows(InvoiceRow) == 1


def test_a_colleagues_page_is_left_alone(world, till, buyer):
    first = world.buy(buyer, PACK)
    colleague = world.member(buyer.account_id, "other@account1.test", Role.BILLING)
    second = world.buy(colleague, PACK)
    for outcome in (first, second):
        till.gateway.pay_page(till.page(outcome.purchase_id))
        till.finish(buyer, outcome.purchase_id)
    assert till.taken() == [4900, 4900]
    assert world.rows(InvoiceRow) == 2


def test_in_the_last_35_minutes_no_page_is_opened_for_what_ends_then(world, till, buyer):
    world.now = datetime(2026, 4, 30, 23, 25, 1, tzinfo=UTC)
    outcome = world.buy(buyer, PACK)
    assert outcome == NoTimeForCheckout(datetime(2026, 5, 1, tzinfo=UTC))
    assert world.rows(PurchaseRow) == 0
    assert isinstance(world.buy(buyer, "sms_10k"), NeedsCheckout), "what never ends has time"
    world.now = datetime(2026, 4, 30, 23, 25, tzinfo=UTC)
    assert isinstance(world.buy(buyer, PACK), NeedsCheckout)
    saved = world.account()
    world.now = datetime(2026, 4, 30, 23, 50, tzinfo=UTC)
    assert isinstance(world.buy(saved, PACK), Settled), "a saved card is charged at once"


@pytest.mark.parametrize("fault", [Fault.OUTAGE, Fault.ANSWER_LOST, Fault.REQUEST_REFUSED])
def test_a_page_that_cannot_be_opened_leaves_nothing_behind(world, till, buyer, fault):
    till.gateway.fail_next("open_checkout", fault)
    with pytest.raises(PaymentsUnavailable):
        world.buy(buyer, ONBOARDING)
    with world.session() as session:
        assert session.scalars(select(PurchaseRow.status)).all() == ["failed"]
    assert isinstance(world.buy(buyer, ONBOARDING), NeedsCheckout)
    assert till.reconcile().still_open == 0


def test_a_lost_return_and_a_lost_webhook_are_made_up_for_by_reconcile(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    world.pass_time(minutes=2)
    assert till.reconcile().still_open == 0
    assert till.holds(buyer) == [CONNECTOR]
    assert till.books_agree()


def test_a_page_of_another_amount_unlocks_nothing(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    with world.session() as session:
        session.execute(update(PaymentAttemptRow).values(amount_minor=3334))
        session.commit()
    till.gateway.pay_page(till.page(outcome.purchase_id))
    with pytest.raises(Conflict):
        till.finish(buyer, outcome.purchase_id)
    assert till.holds(buyer) == []


def test_strangers_and_readers_can_do_nothing_to_it(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    stranger = world.account()
    reader = world.member(buyer.account_id, "reader@account1.test", Role.MEMBER)
    for act in (till.finish, till.pay, till.stop, till.shown):
        with pytest.raises(NotFound):
            act(stranger, outcome.purchase_id)
    for act in (till.pay, till.stop):
        with pytest.raises(Forbidden):
            act(reader, outcome.purchase_id)
    assert till.row(outcome.purchase_id).status == "reserved"


def test_ten_members_pressing_at_once_open_one_page(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    till.gateway.expire_page(till.page(outcome.purchase_id))
    till.finish(buyer, outcome.purchase_id)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: till.pay(buyer, outcome.purchase_id, "new"), range(8)))
    again = till.pay(buyer, outcome.purchase_id, "new")
    assert isinstance(again, NeedsCheckout)
    shown = [a.page_url for a in till.attempts(outcome.purchase_id) if a.status == "open"]
    assert shown == [again.url]
