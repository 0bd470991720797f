"""What happens while the processor is asked: the slower answer and the older key harm nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.domain.access import Actor, Role
from portal.domain.errors import PaymentsUnavailable
from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.ledger import AccountBalanceRow
from portal.models.purchases import PurchaseRow
from portal.services import purchases, settlement, waiting
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from tests.services.test_late_money import let_go_unheard, second_checkout
from tests.services.test_other_ways import save
from tests.support.cards import rows
from tests.support.world import paying

CONNECTOR, ONBOARDING, PACK = "salesforce", "onboarding", "messages_100k"
FAILS, ASKS = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


class Slow:
    """Lets something happen between one answer and whoever waits for it, once."""

    def __init__(self, real: FakePayments, method: str, meanwhile: Callable[[], object]) -> None:
        self._real, self._method, self._meanwhile = real, method, meanwhile

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._method:
            return real

        def asked(*args: object) -> object:
            answer, self._method = real(*args), ""
            self._meanwhile()
            return answer

        return asked


def confirm(world, actor, accepted, gateway, card="default"):
    with world.session() as session:
        return purchases.confirm(
            actor, accepted, paying(card), session=session, gateway=gateway, wall=world.wall
        )


def test_an_answer_that_is_slower_than_the_customer_at_the_bank_refunds_nothing(world, till):
    actor = world.account(card=ASKS)
    accepted = world.accept(world.quote(actor, CONNECTOR))

    def sent_twice_and_authenticated() -> None:
        outcome = world.confirm(actor, accepted)
        [attempt] = till.attempts(outcome.purchase_id)
        till.gateway.pass_challenge(attempt.reference)
        till.hear("payment_intent.succeeded", "payment_intent", attempt.reference)

    slow = Slow(till.gateway, "charge", sent_twice_and_authenticated)
    outcome = confirm(world, actor, accepted, slow)
    assert outcome == Settled(outcome.purchase_id)
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["succeeded"]
    world.pass_time(minutes=5)
    till.reconcile()
    assert (till.taken(), till.refunds(), till.holds(actor)) == ([3333], [], [CONNECTOR])
    assert till.books_agree()


def test_a_page_that_opens_slower_than_it_is_paid_refunds_nothing(world, till, buyer):
    accepted = world.accept(world.quote(buyer, CONNECTOR))

    def sent_twice_and_paid() -> None:
        outcome = world.confirm(buyer, accepted)
        till.gateway.pay_page(till.page(outcome.purchase_id))
        till.finish(buyer, outcome.purchase_id)

    slow = Slow(till.gateway, "open_checkout", sent_twice_and_paid)
    outcome = confirm(world, buyer, accepted, slow)
    assert outcome == Settled(outcome.purchase_id)
    world.pass_time(minutes=5)
    till.reconcile()
    assert (till.taken(), till.refunds(), till.holds(buyer)) == ([3333], [], [CONNECTOR])
    assert till.books_agree()


def test_a_page_that_another_request_opened_is_not_given_up(world, till, buyer):
    accepted = world.accept(world.quote(buyer, CONNECTOR))

    class Refusing(FakePayments):
        def open_checkout(self, checkout: Any) -> Any:
            shown.append(world.confirm(buyer, accepted))
            self.fail_next("open_checkout", Fault.OUTAGE)
            return super().open_checkout(checkout)

    shown: list[Any] = []
    outcome = confirm_refused(world, buyer, accepted, Refusing())
    [attempt] = till.attempts(shown[0].purchase_id)
    assert (outcome, attempt.status) == ("unavailable", "open")
    till.gateway.pay_page(attempt.page_ref)
    assert till.finish(buyer, attempt.purchase_id) == Settled(attempt.purchase_id)


def confirm_refused(world, actor, accepted, gateway):
    with pytest.raises(PaymentsUnavailable):
        confirm(world, actor, accepted, gateway)
    return "unavailable"


def test_asking_again_when_the_key_may_be_forgotten_charges_nothing(world, till):
    """Source: reference/stripe.md §4.6."""
    actor = world.account()
    till.gateway.fail_next("charge", Fault.ERROR_KEPT)
    outcome = world.buy(actor, ONBOARDING)
    world.pass_time(hours=25)
    till.gateway._books.kept.clear()  # as Stripe does after a day
    for act in (till.finish, till.stop, till.pay):
        assert act(actor, outcome.purchase_id) == Pending(outcome.purchase_id)
    assert till.taken() == [49900]
    till.reconcile()
    assert (till.taken(), till.refunds(), till.holds(actor)) == ([49900], [], [ONBOARDING])


def test_within_a_day_asking_again_is_the_same_request(world, till):
    actor = world.account()
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    outcome = world.buy(actor, ONBOARDING)
    world.pass_time(hours=22, minutes=59)
    assert till.finish(actor, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.taken() == [49900]


def test_a_payment_that_cannot_be_called_off_stops_a_newer_form_too(world, till):
    actor = world.account(card=ASKS)
    first = world.buy(actor, PACK)
    till.gateway.fail_next("cancel_payment", Fault.OUTAGE)
    assert world.buy(actor, PACK) == Unpaid(first.purchase_id)
    assert world.rows(PurchaseRow) == 1
    [attempt] = till.attempts(first.purchase_id)
    till.gateway.pass_challenge(attempt.reference)
    till.finish(actor, first.purchase_id)
    assert till.taken() == [4900]


def test_a_first_request_that_is_refused_took_nothing_and_another_way_is_open(world, till):
    actor = world.account()
    for _ in range(2):
        till.gateway.fail_next("charge", Fault.REQUEST_REFUSED)
    outcome = world.buy(actor, CONNECTOR)
    assert outcome == Unpaid(outcome.purchase_id)
    assert till.pay(actor, outcome.purchase_id) == outcome
    assert till.pay(actor, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.taken() == [3333]


def test_who_did_not_send_a_charge_first_takes_a_refusal_for_no_answer(world, till):
    actor = world.account(card="pm_card_mastercard")
    older = world.confirm(actor, world.accept(world.quote(actor, PACK)), "new")
    accepted = world.accept(world.quote(actor, PACK))

    def sent_twice() -> None:
        till.gateway.fail_next("charge", Fault.OUTAGE)
        assert isinstance(world.confirm(actor, accepted), Pending)
        till.gateway.fail_next("charge", Fault.REQUEST_REFUSED)

    outcome = confirm(world, actor, accepted, Slow(till.gateway, "close_page", sent_twice))
    assert isinstance(outcome, Pending)
    assert outcome.purchase_id != older.purchase_id
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["started"]


def test_who_did_not_start_the_attempt_takes_a_refusal_for_no_answer(world, till, monkeypatch):
    actor = world.account(card="pm_card_visa")
    save(world, actor, FAILS)
    declined = world.buy(actor, CONNECTOR)
    really = waiting._is_too_late

    def meanwhile(*args: Any) -> bool:
        monkeypatch.setattr(waiting, "_is_too_late", really)
        till.gateway.fail_next("charge", Fault.OUTAGE)
        assert isinstance(till.pay(actor, declined.purchase_id), Pending)
        till.gateway.fail_next("charge", Fault.REQUEST_REFUSED)
        return really(*args)

    monkeypatch.setattr(waiting, "_is_too_late", meanwhile)
    assert isinstance(till.pay(actor, declined.purchase_id), Pending)
    assert [a.status for a in till.attempts(declined.purchase_id)] == ["declined", "started"]


def test_late_money_and_a_purchase_at_that_moment_do_not_both_get_the_last_place(
    world, till, buyer, monkeypatch
):
    outcome = world.buy(buyer, ONBOARDING)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    till.gateway.pay_page(page)
    really, colleague = (
        settlement.account_state,
        world.member(buyer.account_id, "o@a.test", Role.OWNER),
    )
    bought: list[Any] = []

    def read(*args: Any) -> Any:
        state = really(*args)
        if not bought:
            bought.append(pool.submit(world.buy, colleague, ONBOARDING))
            with suppress(TimeoutError):
                bought[0].result(timeout=0.5)
        return state

    monkeypatch.setattr(settlement, "account_state", read)
    with ThreadPoolExecutor(1) as pool:
        till.hear("checkout.session.completed", "checkout.session", page)
    assert isinstance(bought[0].result(), purchases.Refused)
    assert (till.holds(buyer), till.refunds()) == ([ONBOARDING], [])


@pytest.mark.parametrize("due", [0, 49], ids=["nothing due", "carried"])
def test_what_charges_nothing_asks_the_processor_nothing(world, till, due):
    actor = without_customer(world, till, 3333 - due)
    till.gateway.fail_next("create_customer", Fault.OUTAGE)
    assert isinstance(world.buy(actor, CONNECTOR), Settled)


def test_the_least_that_can_be_charged_has_a_customer(world, till):
    actor = without_customer(world, till, 3333 - 50)
    outcome = world.buy(actor, CONNECTOR)
    assert isinstance(outcome, NeedsCheckout)
    assert till.attempts(outcome.purchase_id)[0].params["customer_ref"] != ""


def without_customer(world, till, balance: int) -> Actor:
    """Somebody with credit, of whom the processor knows nothing any more."""
    actor = world.account(card=None)
    till.hear("customer.deleted", "customer", world.customer(actor.account_id))
    figures = ("carried_minor", "balance_reserved_minor", "carried_reserved_minor")
    row = AccountBalanceRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        currency="usd",
        balance_minor=balance,
        **dict.fromkeys(figures, 0),
    )
    with world.session() as session:
        session.add(row)
        session.commit()
    return actor


@pytest.mark.parametrize(
    ("minutes", "pays"), [(9, True), (10, False)], ids=["a minute before", "when it ends"]
)
def test_a_saved_card_pays_until_the_cycle_turns_and_is_not_asked_afterwards(
    world, till, minutes, pays
):
    world.now = datetime(2026, 4, 30, 23, 50, tzinfo=UTC)
    actor = world.account(card="pm_card_mastercard")
    failing = save(world, actor, FAILS)
    declined = world.confirm(actor, world.accept(world.quote(actor, PACK)), failing)
    [good] = [c.id for c in rows(world, actor) if c.last4 == "4444"]
    world.pass_time(minutes=minutes)
    outcome = till.pay(actor, declined.purchase_id, good)
    assert outcome == (Settled if pays else Ended)(declined.purchase_id)
    assert len(till.gateway.calls) == 1 + pays
    assert till.refunds() == []


def test_another_page_that_cannot_be_closed_does_not_spoil_what_was_paid(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    newer = second_checkout(world, till, outcome.purchase_id)
    till.gateway.pay_page(newer)
    till.gateway.fail_next("close_page", Fault.OUTAGE)
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["open", "succeeded"]
    world.pass_time(minutes=2)
    till.reconcile()
    assert [a.status for a in till.attempts(outcome.purchase_id)] == ["expired", "succeeded"]
