"""A browser that comes back while nobody answers, or with a form older than the payment."""

from __future__ import annotations

import pytest

from portal.gateways.fake_payments import Fault
from tests.web.test_ways_to_pay import CONNECTOR, PURCHASE, act, press, sign_in, till

__all__ = ["sign_in", "till"]


@pytest.mark.parametrize("fault", [Fault.OUTAGE, Fault.ANSWER_LOST])
def test_coming_back_while_nobody_answers_does_not_say_that_nothing_was_charged(
    fault, sign_in, till, visit
):
    buyer = sign_in(None)
    press(visit, CONNECTOR)
    till.gateway.pay_page(till.page(1))
    till.gateway.fail_next("read_page", fault)
    back = visit.get(f"{PURCHASE}/return", 303)
    assert back.headers["Location"] == PURCHASE
    assert "We could not ask how your payment stands" in visit.get(PURCHASE).text
    act(visit, "check")
    assert till.holds(buyer) == ["salesforce"]


def test_a_form_left_open_after_it_was_paid_leads_to_the_receipt(sign_in, till, visit):
    sign_in("pm_card_chargeCustomerFail")
    press(visit, CONNECTOR)
    token = {"csrf_token": visit.get(PURCHASE).hidden("csrf_token"), "card": "999"}
    act(visit, "pay", card="new")
    till.gateway.pay_page(till.page(1))
    visit.get(f"{PURCHASE}/return", 303)
    assert visit.post(f"{PURCHASE}/pay", token, 303).headers["Location"] == PURCHASE
