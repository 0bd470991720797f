"""What the fake offers to tests on top of the contract."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.errors import PaymentsUnavailable
from portal.domain.payments import Declined, NeedsAuthentication, Paid, Unknown
from portal.gateways.fake_payments import FakePayments, Fault
from tests.gateways.conftest import ChargeFor


def test_scripted_answers_come_in_order_then_the_card_decides(charge_for: ChargeFor) -> None:
    refused = Declined(DeclineReason.EXPIRED_CARD, may_retry=False, reference="pi_scripted")
    payments = FakePayments(refused, NeedsAuthentication("pi_asked"))
    first = charge_for("cus_1", "pm_card_visa")
    assert payments.charge(first) == refused
    assert payments.charge(charge_for("cus_1", "pm_card_visa")) == NeedsAuthentication("pi_asked")
    assert isinstance(payments.charge(charge_for("cus_1", "pm_card_visa")), Paid)
    assert payments.charge(first) == refused, "a repeat uses up no script"
    assert payments.read_payment("pi_scripted").outcome == refused
    assert len(payments.calls) == 4
    assert len(payments.taken) == 1


def slow_clock() -> float:
    time.sleep(0.02)  # long enough for every other thread to come by
    return time.time()


def test_threads_share_one_answer_and_one_script(charge_for: ChargeFor) -> None:
    refused = Declined(DeclineReason.EXPIRED_CARD, may_retry=False, reference="pi_scripted")
    payments = FakePayments(refused, wall_now=slow_clock)
    charge = charge_for("cus_1", "pm_card_visa")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(payments.charge, [charge] * 8)) == {refused}
    assert payments.taken == []


def test_a_payment_may_change_later(charge_for: ChargeFor) -> None:
    payments = FakePayments()
    charge = charge_for("cus_1", "pm_card_authenticationRequired")
    asked = payments.charge(charge)
    assert isinstance(asked, NeedsAuthentication)
    payments.change(asked.reference, Paid(asked.reference))
    assert payments.read_payment(asked.reference).outcome == Paid(asked.reference)
    assert payments.taken == [charge]
    assert payments.charge(charge) == asked, "the key is told what it was told"


def test_a_scripted_unknown_is_under_way(charge_for: ChargeFor) -> None:
    payments = FakePayments(Unknown("processing"))
    charge = charge_for("cus_1", "pm_card_visa")
    assert payments.charge(charge) == Unknown("processing")
    found = payments.find_payment(charge, 60)
    assert found is not None
    assert found.outcome == Unknown("processing")
    assert payments.taken == []


def test_a_refused_request_leaves_nothing_behind(charge_for: ChargeFor) -> None:
    payments = FakePayments(Fault.REQUEST_REFUSED)
    charge = charge_for("cus_1", "pm_card_visa")
    with pytest.raises(PaymentsUnavailable):
        payments.charge(charge)
    assert payments.find_payment(charge, 60) is None
    assert isinstance(payments.charge(charge), Paid)


def test_a_card_saved_through_one_fake_is_known_to_another(charge_for: ChargeFor) -> None:
    first, second = FakePayments(), FakePayments()
    owner = first.create_customer("customer-1", "Northwind", "a@b.test", {})
    card = first.save_card(owner, "pm_card_chargeCustomerFail", "card-1")
    assert isinstance(second.charge(charge_for(owner, card.reference)), Declined)
