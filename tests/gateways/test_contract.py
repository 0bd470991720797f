"""What every payment gateway must do: the fake, the sandbox, and Stripe itself alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    CardRefused,
    Declined,
    NeedsAuthentication,
    Paid,
    Unknown,
)
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import Processor, SandboxProcessor, customer, fresh, saved

AT_ONCE = 12

# token, reason, code, may be tried again. Source: reference/stripe.md §5
DECLINES = [
    ("visa_chargeDeclined", DeclineReason.REFUSED, "card_declined", True),
    (
        "visa_chargeDeclinedInsufficientFunds",
        DeclineReason.INSUFFICIENT_FUNDS,
        "card_declined",
        True,
    ),
    ("visa_chargeDeclinedLostCard", DeclineReason.REFUSED, "card_declined", False),
    ("visa_chargeDeclinedStolenCard", DeclineReason.REFUSED, "card_declined", False),
    (
        "visa_chargeDeclinedVelocityLimitExceeded",
        DeclineReason.INSUFFICIENT_FUNDS,
        "card_declined",
        True,
    ),
    ("radarBlock", DeclineReason.REFUSED, "card_declined", False),
    ("chargeDeclinedExpiredCard", DeclineReason.EXPIRED_CARD, "expired_card", True),
    ("chargeDeclinedIncorrectCvc", DeclineReason.INCORRECT_DETAILS, "incorrect_cvc", True),
    ("chargeDeclinedProcessingError", DeclineReason.PROCESSING_ERROR, "processing_error", True),
]


def test_a_customer_is_made_once_per_key(processor: Processor) -> None:
    key, labels = fresh("customer"), {"account": "northwind"}
    first = processor.gateway.create_customer(key, "Northwind", "a@northwind.test", labels)
    again = processor.gateway.create_customer(key, "Northwind", "a@northwind.test", labels)
    assert first.startswith("cus_")
    assert again == first
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.create_customer(key, "Another", "a@northwind.test", labels)


def test_a_saved_card_shows_what_may_be_shown(processor: Processor) -> None:
    card = saved(processor, customer(processor))
    assert (card.brand, card.last4) == ("visa", "4242")
    assert 1 <= card.exp_month <= 12
    assert card.exp_year >= 2026
    assert card.fingerprint


def test_the_card_saved_last_is_the_default(sandbox: SandboxProcessor) -> None:
    owner = customer(sandbox)
    saved(sandbox, owner)
    last = saved(sandbox, owner, "mastercard")
    settings = sandbox.client.v1.customers.retrieve(owner).invoice_settings
    assert settings is not None
    assert settings.default_payment_method == last.reference


def test_a_card_is_saved_once_per_key(processor: Processor) -> None:
    owner, key = customer(processor), fresh("card")
    first = processor.gateway.save_card(owner, "pm_card_visa", key)
    assert processor.gateway.save_card(owner, "pm_card_visa", key) == first


def test_the_same_card_saved_twice_has_one_fingerprint(processor: Processor) -> None:
    owner = customer(processor)
    one, two = saved(processor, owner), saved(processor, owner)
    other = saved(processor, owner, "mastercard")
    assert one.reference != two.reference
    assert one.fingerprint == two.fingerprint
    assert other.fingerprint != one.fingerprint


def test_a_card_may_be_refused_when_it_is_saved(processor: Processor) -> None:
    with pytest.raises(CardRefused) as refused:
        saved(processor, customer(processor), "visa_chargeDeclinedInsufficientFunds")
    assert refused.value.declined.reason is DeclineReason.INSUFFICIENT_FUNDS


def test_a_charge_takes_the_amount(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    assert processor.amounts_taken(owner) == [(4900, "usd")]
    assert processor.descriptions(owner) == [charge.description]


def test_yen_have_no_cents(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference, 980, "jpy")
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    assert processor.amounts_taken(owner) == [(980, "jpy")]
    assert processor.gateway.read_payment(outcome.reference).amount == Money(980, "jpy")


@pytest.mark.parametrize(("name", "reason", "code", "may_retry"), DECLINES)
def test_a_declined_card(
    processor: Processor,
    charge_for: ChargeFor,
    name: str,
    reason: DeclineReason,
    code: str,
    may_retry: bool,
) -> None:
    owner = customer(processor)
    outcome = processor.gateway.charge(charge_for(owner, f"pm_card_{name}"))
    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.code, outcome.may_retry) == (reason, code, may_retry)
    assert outcome.reference is not None
    assert processor.amounts_taken(owner) == []
    assert processor.gateway.read_payment(outcome.reference).outcome == outcome


def test_a_card_that_saves_may_still_decline(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner, "chargeCustomerFail").reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Declined)
    assert outcome.reason is DeclineReason.REFUSED
    assert outcome.may_retry
    assert processor.gateway.charge(charge) == outcome, "a decline is kept for its key too"


@pytest.mark.parametrize("name", ["authenticationRequired", "authenticationRequiredOnSetup"])
def test_the_bank_wants_to_see_the_customer(
    processor: Processor, charge_for: ChargeFor, name: str
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner, name).reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, NeedsAuthentication)
    assert processor.gateway.read_payment(outcome.reference).outcome == outcome
    assert processor.amounts_taken(owner) == []


def test_a_card_set_up_for_this_needs_no_customer(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    card = saved(processor, owner, "authenticationRequiredSetupForOffSession")
    assert isinstance(processor.gateway.charge(charge_for(owner, card.reference)), Paid)


def test_the_same_key_twice_is_one_payment(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    first = processor.gateway.charge(charge)
    assert isinstance(first, Paid)
    assert processor.gateway.charge(charge) == first
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_two_keys_are_two_payments(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner).reference
    first = processor.gateway.charge(charge_for(owner, card))
    second = processor.gateway.charge(charge_for(owner, card))
    assert first != second
    assert processor.amounts_taken(owner) == [(4900, "usd")] * 2


def test_a_used_key_with_another_amount_is_refused(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    processor.gateway.charge(charge)
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.charge(replace(charge, amount=Money(5000, "usd")))
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_many_at_once_with_one_key_are_one_payment(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(processor.gateway.charge, [charge] * AT_ONCE))
    told = {outcome for outcome in outcomes if not isinstance(outcome, Unknown)}
    assert told == {processor.gateway.charge(charge)}
    assert isinstance(told.pop(), Paid)
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_an_amount_below_the_minimum_is_our_mistake(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    with pytest.raises(PaymentsUnavailable, match="amount_too_small"):
        processor.gateway.charge(charge_for(owner, saved(processor, owner).reference, 49))
    assert processor.amounts_taken(owner) == []


def test_an_unknown_customer_is_our_mistake(processor: Processor, charge_for: ChargeFor) -> None:
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.charge(charge_for("nobody", "pm_card_visa"))


def test_a_removed_card_is_declined_for_good(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner)
    processor.remove_card(card.reference)
    outcome = processor.gateway.charge(charge_for(owner, card.reference))
    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.may_retry) == (DeclineReason.REFUSED, False)


def test_anothers_card_is_declined(processor: Processor, charge_for: ChargeFor) -> None:
    card, stranger = saved(processor, customer(processor)), customer(processor)
    outcome = processor.gateway.charge(charge_for(stranger, card.reference))
    assert isinstance(outcome, Declined)
    assert not outcome.may_retry
    assert processor.amounts_taken(stranger) == []
