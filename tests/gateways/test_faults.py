"""Lost answers, outages and limits: money is taken at most once, and never called refused."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable
from portal.domain.payments import (
    Charge,
    Declined,
    NeedsAuthentication,
    Paid,
    Unknown,
)
from portal.gateways.fake_payments import Fault
from portal.gateways.stripe_payments import NETWORK_RETRIES, StripePayments, stripe_client
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import (
    FaultyProcessor,
    Processor,
    SandboxProcessor,
    customer,
    fresh,
    saved,
)
from tests.gateways.samples import a_checkout, a_refund

HOUR_S = 3600
ONCE = [(4900, "usd")]
BACK = "http://127.0.0.1/back"


def a_charge(processor: Processor, charge_for: ChargeFor) -> Charge:
    owner = customer(processor)
    return charge_for(owner, saved(processor, owner).reference)


def test_a_lost_answer_is_unknown_and_found(faulty: FaultyProcessor, charge_for: ChargeFor) -> None:
    charge = a_charge(faulty, charge_for)
    faulty.break_next(Fault.ANSWER_LOST)
    assert isinstance(faulty.hasty.charge(charge), Unknown)
    found = faulty.gateway.find_payment(charge, HOUR_S)
    assert found is not None
    assert isinstance(found.outcome, Paid)
    assert faulty.gateway.charge(charge) == found.outcome, "the same key is told what happened"
    assert faulty.amounts_taken(charge.customer_ref) == ONCE


def test_an_error_kept_for_the_key_is_only_resolved_by_looking(
    faulty: FaultyProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(faulty, charge_for)
    faulty.break_next(Fault.ERROR_KEPT)
    assert isinstance(faulty.gateway.charge(charge), Unknown)
    assert isinstance(faulty.gateway.charge(charge), Unknown)
    found = faulty.gateway.find_payment(charge, HOUR_S)
    assert found is not None
    assert isinstance(found.outcome, Paid)
    assert (found.amount, found.labels) == (charge.amount, charge.labels)
    assert faulty.amounts_taken(charge.customer_ref) == ONCE


def test_a_refused_attempt_is_unknown_until_it_is_made(
    faulty: FaultyProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(faulty, charge_for)
    faulty.break_next(Fault.OUTAGE)
    assert isinstance(faulty.gateway.charge(charge), Unknown)
    assert faulty.gateway.find_payment(charge, HOUR_S) is None
    assert faulty.amounts_taken(charge.customer_ref) == []
    assert isinstance(faulty.gateway.charge(charge), Paid)
    assert faulty.amounts_taken(charge.customer_ref) == ONCE


def test_a_connection_dropped_after_the_charge_is_repeated(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("after_drop")
    assert isinstance(sandbox.gateway.charge(charge), Paid)
    assert sandbox.amounts_taken(charge.customer_ref) == ONCE


def test_an_outage_longer_than_our_patience(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("before_drop", n=1 + NETWORK_RETRIES)
    assert isinstance(sandbox.gateway.charge(charge), Unknown)
    assert sandbox.amounts_taken(charge.customer_ref) == []
    assert isinstance(sandbox.gateway.charge(charge), Paid)


def test_an_error_before_the_charge_takes_nothing(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("before_500")
    assert isinstance(sandbox.gateway.charge(charge), Unknown)
    assert sandbox.gateway.find_payment(charge, HOUR_S) is None
    assert sandbox.amounts_taken(charge.customer_ref) == []


def test_a_key_in_use_is_waited_for(sandbox: SandboxProcessor, charge_for: ChargeFor) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("delay", seconds=0.3)
    with ThreadPoolExecutor(4) as pool:
        outcomes = set(pool.map(sandbox.gateway.charge, [charge] * 4))
    assert len(outcomes) == 1
    assert isinstance(outcomes.pop(), Paid)
    assert sandbox.amounts_taken(charge.customer_ref) == ONCE


def test_a_key_in_use_for_long_is_unknown(sandbox: SandboxProcessor, charge_for: ChargeFor) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("delay", seconds=0.8)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(sandbox.hasty.charge, [charge] * 4))
    assert {type(outcome) for outcome in outcomes} == {Paid, Unknown}
    assert sandbox.amounts_taken(charge.customer_ref) == ONCE


def test_limits_elsewhere_are_no_answer(sandbox: SandboxProcessor, charge_for: ChargeFor) -> None:
    charge = a_charge(sandbox, charge_for)
    sandbox.fail("429", match="GET /v1/payment_intents*", n=2)
    with pytest.raises(PaymentsUnavailable):
        sandbox.gateway.find_payment(charge, HOUR_S)
    with pytest.raises(PaymentsUnavailable):
        sandbox.gateway.read_payment("pi_anything")


def test_nobody_there(charge_for: ChargeFor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        client = stripe_client("sk_test_x", f"http://127.0.0.1:{taken.getsockname()[1]}")
        gateway = StripePayments(client)
        outcome = gateway.charge(charge_for("cus_x", "pm_card_visa"))
        with pytest.raises(PaymentsUnavailable):
            gateway.create_customer(fresh("customer"), "Northwind", "a@b.test", {})
    assert isinstance(outcome, Unknown)
    assert outcome.detail == "APIConnectionError"


def test_a_key_of_another_account_is_no_decline(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(sandbox, charge_for)
    refused = StripePayments(stripe_client("sk_live_wrong", sandbox.base))
    with pytest.raises(PaymentsUnavailable, match="AuthenticationError 401"):
        refused.charge(charge)
    with pytest.raises(PaymentsUnavailable):
        refused.save_card(charge.customer_ref, "pm_card_visa", fresh("card"))
    for ask in (
        lambda: refused.authenticate("pi_x", "pm_x", BACK, fresh("key")),
        lambda: refused.cancel_payment("pi_x"),
        lambda: refused.refund(a_refund("pi_x")),
        lambda: refused.open_checkout(a_checkout(charge.customer_ref)),
        lambda: refused.close_page("cs_x"),
        lambda: refused.remove_card("pm_x"),
    ):
        with pytest.raises(PaymentsUnavailable, match="AuthenticationError 401"):
            ask()
    assert sandbox.amounts_taken(charge.customer_ref) == []


def test_a_payment_that_waits_for_the_customer_then_is_called_off(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = a_charge(sandbox, charge_for)
    intent = sandbox.client.v1.payment_intents.create(
        {
            "amount": 4900,
            "currency": "usd",
            "customer": charge.customer_ref,
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "http://127.0.0.1/back",
            "metadata": charge.labels,
        }
    )
    waiting = sandbox.gateway.find_payment(charge, HOUR_S)
    assert waiting is not None
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    url = intent.next_action.redirect_to_url.url
    assert waiting.outcome == NeedsAuthentication(intent.id, url)
    sandbox.client.v1.payment_intents.cancel(intent.id)
    called_off = sandbox.gateway.read_payment(intent.id).outcome
    assert called_off == Declined(DeclineReason.REFUSED, may_retry=False, reference=intent.id)
