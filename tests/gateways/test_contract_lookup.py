"""The contract's other half: how a payment is read and found again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.domain.errors import NotFound
from portal.domain.payments import Declined, Paid
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import Processor, SandboxProcessor, customer, fresh, saved

HOUR_S = 3600


def test_a_payment_is_read_by_its_reference(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    news = processor.gateway.read_payment(outcome.reference)
    assert (news.outcome, news.amount, news.labels) == (outcome, charge.amount, charge.labels)


def test_a_payment_that_is_not_there(processor: Processor) -> None:
    with pytest.raises(NotFound):
        processor.gateway.read_payment("pi_nothing")


def test_a_payment_is_found_by_its_labels(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner).reference
    charge, other, unmade = (charge_for(owner, card) for _ in range(3))
    outcome = processor.gateway.charge(charge)
    processor.gateway.charge(other)
    found = processor.gateway.find_payment(charge, HOUR_S)
    assert found is not None
    assert (found.outcome, found.amount, found.labels) == (outcome, charge.amount, charge.labels)
    assert processor.gateway.find_payment(unmade, HOUR_S) is None


def test_a_declined_payment_is_found_too(processor: Processor, charge_for: ChargeFor) -> None:
    charge = charge_for(customer(processor), "pm_card_visa_chargeDeclined")
    outcome = processor.gateway.charge(charge)
    found = processor.gateway.find_payment(charge, HOUR_S)
    assert found is not None
    assert found.outcome == outcome


def test_of_several_with_the_labels_the_paid_one_is_found(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    paid = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(paid)
    declined = replace(paid, key=fresh("attempt"), card_ref="pm_card_visa_chargeDeclined")
    assert isinstance(processor.gateway.charge(declined), Declined)
    found = processor.gateway.find_payment(paid, HOUR_S)
    assert found is not None
    assert found.outcome == outcome


def test_only_recent_payments_are_looked_through(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    processor.gateway.charge(charge)
    processor.ahead = 2 * HOUR_S
    assert processor.gateway.find_payment(charge, HOUR_S) is None
    assert processor.gateway.find_payment(charge, 3 * HOUR_S) is not None


def test_a_clock_ahead_of_the_processors_hides_nothing(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = charge_for(customer(sandbox), "pm_card_visa")
    sandbox.gateway.charge(charge)
    sandbox.ahead = 120
    assert sandbox.gateway.find_payment(charge, 1) is not None


def test_a_charge_without_labels_cannot_be_looked_up(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    with pytest.raises(ValueError, match="labels"):
        processor.gateway.find_payment(replace(charge_for(owner, "pm_card_visa"), labels={}), 60)
