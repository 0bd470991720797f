"""What the fake offers to tests on top of the contract."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    CardNews,
    Declined,
    NeedsAuthentication,
    PageStatus,
    Paid,
    Unknown,
)
from portal.gateways.fake_payments import FakePayments, Fault
from tests.gateways.conftest import ChargeFor
from tests.gateways.samples import a_checkout, a_refund, an_entry


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


def test_what_was_paid_on_a_page_was_taken(charge_for: ChargeFor) -> None:
    payments = FakePayments()
    charge, checkout = charge_for("cus_1", "pm_card_visa"), a_checkout("cus_1")
    page = payments.open_checkout(checkout)
    assert page.url == f"https://checkout.test/{page.reference}"
    assert isinstance(payments.pay_page(page.reference, "chargeDeclined"), Declined)
    assert payments.taken == []
    payments.charge(charge)
    assert isinstance(payments.pay_page(page.reference), Paid)
    assert sorted(taken.key for taken in payments.taken) == sorted([charge.key, checkout.key])
    assert {taken.amount.minor for taken in payments.taken} == {4900}


def test_a_page_is_filled_in_only_as_it_can_be() -> None:
    payments = FakePayments()
    page = payments.open_checkout(a_checkout("cus_1"))
    entry = payments.open_card_entry(an_entry("cus_1"))
    with pytest.raises(ValueError, match="to be paid"):
        payments.save_on_page(page.reference)
    with pytest.raises(ValueError, match="nothing is to be paid"):
        payments.pay_page(entry.reference)
    for reference in (page.reference, entry.reference):
        payments.expire_page(reference)
        assert payments.read_page(reference).status is PageStatus.EXPIRED
    with pytest.raises(ValueError, match="expired"):
        payments.pay_page(page.reference)
    with pytest.raises(ValueError, match="expired"):
        payments.save_on_page(entry.reference)
    with pytest.raises(NotFound):
        payments.pay_page("cs_nothing")


def test_what_the_customer_does_on_a_card_entry() -> None:
    payments = FakePayments()
    entry = payments.open_card_entry(an_entry("cus_1"))
    refused = payments.save_on_page(entry.reference, "chargeDeclinedExpiredCard")
    assert isinstance(refused, Declined)
    asked = payments.save_on_page(entry.reference, "authenticationRequired")
    assert isinstance(asked, NeedsAuthentication)
    assert asked.url is not None
    card = payments.pass_challenge(asked.reference)
    assert card == payments.read_page(entry.reference).card
    assert payments.pass_challenge(asked.reference) == payments.read_page(entry.reference)
    with pytest.raises(NotFound):
        payments.pass_challenge("pi_nothing")


def test_without_a_clock_pages_stay_open_until_they_are_expired() -> None:
    checkout = replace(a_checkout("cus_1"), expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    payments = FakePayments()
    page = payments.open_checkout(checkout)
    assert payments.read_page(page.reference).status is PageStatus.OPEN
    with pytest.raises(PaymentsUnavailable):
        FakePayments(wall_now=time.time).open_checkout(checkout)


def test_a_card_saved_on_a_page_of_one_fake_is_known_to_another(charge_for: ChargeFor) -> None:
    payments, other = FakePayments(), FakePayments()
    page = payments.open_checkout(a_checkout("cus_1"))
    asked = payments.pay_page(page.reference, "authenticationRequiredOnSetup")
    assert isinstance(asked, NeedsAuthentication)
    payments.pass_challenge(asked.reference)
    card = payments.read_page(page.reference).card
    assert card is not None
    assert other.read_card(card.reference) == CardNews(card, "cus_1")
    assert isinstance(other.charge(charge_for("cus_1", card.reference)), Paid)
    stranger = other.charge(charge_for("cus_2", card.reference))
    assert isinstance(stranger, Declined)
    assert not stranger.may_retry


def test_refunds_are_kept_while_they_stand(charge_for: ChargeFor) -> None:
    payments = FakePayments()
    for name, standing in (("visa", 1), ("pendingRefund", 2), ("refundFail", 3)):
        paid = payments.charge(charge_for("cus_1", f"pm_card_{name}"))
        assert isinstance(paid, Paid)
        payments.refund(a_refund(paid.reference, 100))
        assert len(payments.refunds) == standing
    payments.end_refunds()
    assert [refund.amount.minor for refund in payments.refunds] == [100, 100]
    assert len(payments.taken) == 3, "what was taken stays taken"


def test_a_refund_in_another_currency_is_a_bug(charge_for: ChargeFor) -> None:
    payments = FakePayments()
    paid = payments.charge(charge_for("cus_1", "pm_card_visa"))
    assert isinstance(paid, Paid)
    with pytest.raises(ValueError, match="eur"):
        payments.refund(replace(a_refund(paid.reference), amount=Money(100, "eur")))


def test_faults_are_met_in_order_by_their_own_method() -> None:
    payments = FakePayments()
    for fault in (Fault.OUTAGE, Fault.REQUEST_REFUSED, Fault.ANSWER_LOST):
        payments.fail_next("open_checkout", fault)
    assert payments.open_card_entry(an_entry("cus_1")).url
    checkout = a_checkout("cus_1")
    for said in ("no connection", "refused", "lost"):
        with pytest.raises(PaymentsUnavailable, match=said):
            payments.open_checkout(checkout)
    assert payments.open_checkout(checkout).url
    for name in ("_charge", "answers", "sing"):
        with pytest.raises(ValueError, match="to fail"):
            payments.fail_next(name, Fault.OUTAGE)


def test_the_bank_asks_nobody_who_was_not_sent_there(charge_for: ChargeFor) -> None:
    payments = FakePayments()
    asked = payments.charge(charge_for("cus_1", "pm_card_authenticationRequired"))
    assert isinstance(asked, NeedsAuthentication)
    assert payments.pass_challenge(asked.reference) == asked
    assert payments.taken == []


@pytest.mark.parametrize("method", ["read_page", "read_card", "read_payment", "read_refund"])
def test_reading_can_fail(method: str) -> None:
    payments = FakePayments()
    payments.fail_next(method, Fault.OUTAGE)
    with pytest.raises(PaymentsUnavailable):
        getattr(payments, method)("anything")
    with pytest.raises(NotFound):
        getattr(payments, method)("anything")
