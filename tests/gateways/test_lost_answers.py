"""Lost answers and outages of everything but a first charge: nothing is done twice or forgotten."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable
from portal.domain.payments import Declined, NeedsAuthentication, PageStatus, Paid, Unknown
from portal.domain.refunds import Refunded, RefundStatus
from portal.gateways.fake_payments import Fault
from portal.gateways.stripe_payments import StripePayments
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import (
    FaultyProcessor,
    Processor,
    SandboxProcessor,
    customer,
    fresh,
    saved,
)
from tests.gateways.samples import a_checkout, a_refund, an_entry

BACK = "http://127.0.0.1/back"
NO_ANSWER = pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.OUTAGE])


def a_payment(processor: Processor, charge_for: ChargeFor) -> str:
    outcome = processor.gateway.charge(charge_for(customer(processor), "pm_card_visa"))
    assert isinstance(outcome, Paid)
    return outcome.reference


def one_that_asks(processor: Processor, charge_for: ChargeFor) -> tuple[str, str]:
    """A payment that needs authentication, and its card."""
    owner = customer(processor)
    card = saved(processor, owner, "authenticationRequired").reference
    outcome = processor.gateway.charge(charge_for(owner, card))
    assert isinstance(outcome, NeedsAuthentication)
    return outcome.reference, card


@NO_ANSWER
def test_a_page_nobody_was_told_of_is_opened_again(faulty: FaultyProcessor, fault: Fault) -> None:
    checkout, entry = a_checkout(customer(faulty)), an_entry(customer(faulty))
    faulty.break_next(fault, "open_checkout")
    with pytest.raises(PaymentsUnavailable):
        faulty.hasty.open_checkout(checkout)
    faulty.break_next(fault, "open_card_entry")
    with pytest.raises(PaymentsUnavailable):
        faulty.hasty.open_card_entry(entry)
    for page in (faulty.gateway.open_checkout(checkout), faulty.gateway.open_card_entry(entry)):
        assert page.status is PageStatus.OPEN
        assert faulty.gateway.read_page(page.reference) == page


def test_an_error_kept_for_a_pages_key_needs_another_key(faulty: FaultyProcessor) -> None:
    checkout = a_checkout(customer(faulty))
    faulty.break_next(Fault.ERROR_KEPT, "open_checkout")
    for _ in range(2):
        with pytest.raises(PaymentsUnavailable):
            faulty.gateway.open_checkout(checkout)
    assert faulty.gateway.open_checkout(a_checkout(checkout.customer_ref)).url


def test_a_page_is_closed_and_the_answer_lost(faulty: FaultyProcessor) -> None:
    page = faulty.gateway.open_checkout(a_checkout(customer(faulty)))
    faulty.break_next(Fault.ANSWER_LOST, "close_page")
    with pytest.raises(PaymentsUnavailable):
        faulty.hasty.close_page(page.reference)
    assert faulty.gateway.read_page(page.reference).status is PageStatus.EXPIRED
    assert faulty.gateway.close_page(page.reference).status is PageStatus.EXPIRED


def test_a_page_that_could_not_be_closed_is_open(faulty: FaultyProcessor) -> None:
    page = faulty.gateway.open_checkout(a_checkout(customer(faulty)))
    faulty.break_next(Fault.OUTAGE, "close_page")
    with pytest.raises(PaymentsUnavailable):
        faulty.gateway.close_page(page.reference)
    assert faulty.gateway.read_page(page.reference) == page


@NO_ANSWER
def test_a_refund_without_an_answer_is_asked_for_again(
    faulty: FaultyProcessor, charge_for: ChargeFor, fault: Fault
) -> None:
    payment = a_payment(faulty, charge_for)
    refund = a_refund(payment)
    faulty.break_next(fault, "refund")
    assert isinstance(faulty.hasty.refund(refund), Unknown)
    assert faulty.amount_returned(payment) == (4900 if fault is Fault.ANSWER_LOST else 0)
    made = faulty.gateway.refund(refund)
    assert isinstance(made, Refunded)
    assert made.reference is not None
    assert made.status is RefundStatus.SUCCEEDED
    assert faulty.amount_returned(payment) == 4900


def test_an_error_kept_for_a_refund_is_resolved_by_another_key(
    faulty: FaultyProcessor, charge_for: ChargeFor
) -> None:
    payment = a_payment(faulty, charge_for)
    refund = a_refund(payment)
    faulty.break_next(Fault.ERROR_KEPT, "refund")
    for _ in range(2):
        assert isinstance(faulty.gateway.refund(refund), Unknown)
    assert faulty.gateway.refund(a_refund(payment)) == Refunded(None, RefundStatus.SUCCEEDED)
    assert faulty.amount_returned(payment) == 4900


@NO_ANSWER
def test_a_cancelling_without_an_answer_is_asked_for_again(
    faulty: FaultyProcessor, charge_for: ChargeFor, fault: Fault
) -> None:
    reference, _ = one_that_asks(faulty, charge_for)
    ended = Declined(DeclineReason.REFUSED, may_retry=False, reference=reference)
    faulty.break_next(fault, "cancel_payment")
    assert isinstance(faulty.hasty.cancel_payment(reference), Unknown)
    lost = fault is Fault.ANSWER_LOST
    now = faulty.gateway.read_payment(reference).outcome
    assert now == (ended if lost else NeedsAuthentication(reference))
    assert faulty.gateway.cancel_payment(reference) == ended


@NO_ANSWER
def test_an_authentication_without_an_answer_is_asked_for_again(
    faulty: FaultyProcessor, charge_for: ChargeFor, fault: Fault
) -> None:
    reference, card = one_that_asks(faulty, charge_for)
    key = fresh("authenticate")
    faulty.break_next(fault, "authenticate")
    assert isinstance(faulty.hasty.authenticate(reference, card, BACK, key), Unknown)
    outcome = faulty.gateway.authenticate(reference, card, BACK, key)
    assert isinstance(outcome, NeedsAuthentication)
    assert outcome.url is not None


@NO_ANSWER
def test_a_card_is_removed_again_without_an_answer(faulty: FaultyProcessor, fault: Fault) -> None:
    card = saved(faulty, customer(faulty))
    faulty.break_next(fault, "remove_card")
    with pytest.raises(PaymentsUnavailable):
        faulty.hasty.remove_card(card.reference)
    faulty.gateway.remove_card(card.reference)
    assert faulty.gateway.read_card(card.reference).customer_ref is None


def test_a_page_is_paid_while_it_is_closed(sandbox: SandboxProcessor) -> None:
    """Closing meets a page that was paid, whichever comes first."""
    owner = customer(sandbox)
    for _ in range(5):
        page = sandbox.gateway.open_checkout(a_checkout(owner))
        with ThreadPoolExecutor(2) as pool:
            closing = pool.submit(sandbox.gateway.close_page, page.reference)
            paying = pool.submit(sandbox.use_card, page, "visa")
        told = closing.result()
        assert told == sandbox.gateway.read_page(page.reference)
        assert (told.paid is not None) == (paying.exception() is None)
        assert (told.status is PageStatus.COMPLETE) == (told.paid is not None)


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        base: Any = {"api": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        client = stripe.StripeClient("sk_test_x", base_addresses=base, max_network_retries=0)
        gateway = StripePayments(client)
        assert isinstance(gateway.cancel_payment("pi_x"), Unknown)
        assert isinstance(gateway.refund(a_refund("pi_x")), Unknown)
        assert isinstance(gateway.authenticate("pi_x", "pm_x", BACK, fresh("key")), Unknown)
        for ask in (
            lambda: gateway.open_checkout(a_checkout("cus_x")),
            lambda: gateway.open_card_entry(an_entry("cus_x")),
            lambda: gateway.read_page("cs_x"),
            lambda: gateway.close_page("cs_x"),
            lambda: gateway.read_refund("re_x"),
            lambda: gateway.read_card("pm_x"),
            lambda: gateway.make_default("cus_x", "pm_x"),
            lambda: gateway.remove_card("pm_x"),
        ):
            with pytest.raises(PaymentsUnavailable, match="APIConnectionError"):
                ask()
