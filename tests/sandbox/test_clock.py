"""The sandbox's time moved back, as tests on a fixed day of the past do it, and ahead."""

from __future__ import annotations

import time
import urllib.error
from datetime import UTC, datetime

import pytest
import stripe

from tests.sandbox.checkout import payment
from tests.sandbox.conftest import SECRET, charge_params, wait_for
from tests.sandbox.test_checkout_page import GOOD, Page, look, submit

APRIL = int(datetime(2026, 4, 10, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def april(running):
    """Set the sandbox back to that day."""
    running.control("clock", advance=APRIL - time.time())
    return running


def test_everything_made_is_dated_by_it(april, api, customer, saved_card):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    refund = api.refunds.create({"payment_intent": intent.id})
    events = api.events.list({"created": {"gte": APRIL, "lt": APRIL + 60}, "limit": 100}).data
    assert len(events) == 8
    for made in (customer, saved_card, intent, refund, *events):
        assert APRIL <= made.created < APRIL + 60


def test_sessions_last_by_it(april, api, customer):
    now = time.time()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.checkout.sessions.create(payment(customer, expires_at=int(now) + 1860))
    assert caught.value.param == "expires_at"
    made = api.checkout.sessions.create(payment(customer, expires_at=APRIL + 1860))
    april.control("clock", advance=1700)
    assert api.checkout.sessions.retrieve(made.id).status == "open"
    april.control("clock", advance=200)
    assert api.checkout.sessions.retrieve(made.id).status == "expired"
    assert "has expired" in Page(look(made.url)).text


def test_a_page_can_be_paid(april, api, customer):
    made = api.checkout.sessions.create(payment(customer, expires_at=APRIL + 1860))
    assert submit(made.url, **{**GOOD, "exp": "04/26"})[0] == 303
    assert api.checkout.sessions.retrieve(made.id).payment_status == "paid"


def test_an_idempotency_key_outlives_the_way_back(running, api):
    first = api.customers.create({}, {"idempotency_key": "k"})
    running.control("clock", advance=APRIL - time.time())
    assert api.customers.create({}, {"idempotency_key": "k"}).id == first.id


def test_news_is_sent_at_once_and_signed_by_the_wall(start, receiver):
    running = start(webhook=receiver.url)
    running.control("clock", advance=APRIL - time.time())
    receiver.statuses = [500]
    made = running.client().customers.create({})
    wait_for(lambda: len(receiver.deliveries) == 2)
    for got in receiver.deliveries:
        header = got["headers"]["Stripe-Signature"]
        event = stripe.Webhook.construct_event(got["body"], header, SECRET)
        assert event.data.object.id == made.id
        assert APRIL <= event.created < APRIL + 60


def test_a_refund_settles_by_it(april, api, customer):
    card = api.payment_methods.attach("pm_card_pendingRefund", {"customer": customer.id})
    intent = api.payment_intents.create(charge_params(customer, card.id))
    refund = api.refunds.create({"payment_intent": intent.id})
    april.control("clock", advance=9)
    assert api.refunds.retrieve(refund.id).status == "pending"
    april.control("clock", advance=1)
    assert api.refunds.retrieve(refund.id).status == "succeeded"


@pytest.mark.parametrize("advance", ["soon", "nan", "inf", None, -4e9, 1e12])
def test_a_time_must_be_in_the_calendar(running, api, advance):
    with pytest.raises(urllib.error.HTTPError) as caught:
        running.control("clock", advance=advance)
    caught.value.close()
    assert caught.value.code == 400
    assert abs(api.customers.create({}).created - time.time()) < 60
