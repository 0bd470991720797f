"""Events: what is told, how it is signed, in which order it comes, and that it comes at last."""

from __future__ import annotations

import json

import pytest
import stripe

from portal.sandbox.webhooks import signature
from tests.sandbox.checkout import confirm, payment, saving
from tests.sandbox.conftest import KEY, SECRET, charge_params, wait_for

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
]


@pytest.fixture
def running(start, receiver):
    return start(webhook=receiver.url)


def pay(api):
    customer = api.customers.create({})
    card = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return api.payment_intents.create(
        charge_params(customer, card.id), {"idempotency_key": "order-9"}
    )


def test_events_of_a_payment(api, receiver):
    intent = pay(api)
    wait_for(lambda: len(receiver.kinds) == 6)
    assert receiver.kinds == ["customer.created", "payment_method.attached", *PAID]
    event = receiver.events[4]
    assert event["data"]["object"]["id"] == intent.id
    assert event["data"]["object"]["status"] == "succeeded"
    assert event["api_version"] == "2026-10-28.endive"
    assert event["request"]["idempotency_key"] == "order-9"
    assert event["request"]["id"] == intent.last_response.request_id
    assert event["pending_webhooks"] == 1
    charged, booked = receiver.events[3], receiver.events[5]
    assert charged["data"]["object"]["balance_transaction"] is None
    assert booked["data"]["object"]["balance_transaction"].startswith("txn_")
    assert booked["data"]["previous_attributes"] == {"balance_transaction": None}


def test_events_of_a_decline(api, receiver, customer):
    with pytest.raises(stripe.CardError):
        api.payment_intents.create(charge_params(customer, "pm_card_chargeDeclined"))
    wait_for(lambda: len(receiver.kinds) == 4)
    assert receiver.kinds[1:] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ]
    failed = receiver.events[3]["data"]["object"]
    assert failed["last_payment_error"]["decline_code"] == "generic_decline"


def test_events_of_the_rest(api, receiver, customer):
    saved = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    api.customers.update(customer.id, {"name": "Grace"})
    params = charge_params(customer, saved.id)
    del params["off_session"]
    intent = api.payment_intents.create(params)
    api.payment_intents.cancel(intent.id)
    api.payment_methods.detach(saved.id)
    api.customers.delete(customer.id)
    wait_for(lambda: len(receiver.kinds) == 8)
    assert receiver.kinds[1:] == [
        "payment_method.attached",
        "customer.updated",
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.canceled",
        "payment_method.detached",
        "customer.deleted",
    ]
    assert receiver.events[2]["data"]["previous_attributes"] == {"name": "Ada"}
    assert receiver.events[6]["data"]["previous_attributes"] == {"customer": customer.id}


def test_the_library_accepts_the_signature(api, receiver):
    api.customers.create({})
    wait_for(lambda: receiver.deliveries)
    got = receiver.deliveries[0]
    header = got["headers"]["Stripe-Signature"]
    event = stripe.Webhook.construct_event(got["body"], header, SECRET)
    assert event.type == "customer.created"
    for body, secret in ((got["body"] + " ", SECRET), (got["body"], "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, secret)


def test_signature_is_the_published_scheme():
    header = stripe.WebhookSignature.generate_signature_header(
        "{}", SECRET, timestamp=1_700_000_000
    )
    assert signature("{}", SECRET, 1_700_000_000) == header


def test_refused_events_come_again(api, running, receiver):
    receiver.statuses = [500, 404]
    made = api.customers.create({})
    wait_for(lambda: len(receiver.deliveries) == 3)
    assert {e["data"]["object"]["id"] for e in receiver.events} == {made.id}
    assert [d["status"] for d in receiver.deliveries] == [500, 404, 200]
    wait_for(lambda: running.state()["deliveries"] == {"delivered": 1})
    assert api.events.list({}).data[0].pending_webhooks == 0


def test_in_the_end_it_gives_up(api, running, receiver):
    receiver.statuses = [500] * 4
    api.customers.create({})
    wait_for(lambda: running.state()["deliveries"] == {"failed": 1})
    assert len(receiver.deliveries) == 4
    assert api.events.list({"delivery_success": False}).data[0].pending_webhooks == 1


def test_hold_and_release(api, running, receiver):
    running.control("webhooks", mode="hold")
    pay(api)
    assert running.state()["deliveries"] == {"held": 6}
    assert receiver.kinds == []
    assert running.control("webhooks", mode="deliver")["released"] == 6
    wait_for(lambda: len(receiver.kinds) == 6)
    assert receiver.kinds[2:] == PAID


def test_release_backwards(api, running, receiver):
    running.control("webhooks", mode="hold")
    pay(api)
    running.control("webhooks", mode="deliver", order="reverse")
    wait_for(lambda: len(receiver.kinds) == 6)
    assert receiver.kinds[:4] == PAID[::-1]
    assert receiver.kinds[-1] == "customer.created"


def test_reverse_turns_each_requests_events(api, running, receiver):
    running.control("webhooks", mode="reverse")
    pay(api)
    wait_for(lambda: len(receiver.kinds) == 6)
    assert receiver.kinds == ["customer.created", "payment_method.attached", *PAID[::-1]]


def test_duplicate(api, running, receiver):
    running.control("webhooks", mode="duplicate")
    api.customers.create({})
    wait_for(lambda: len(receiver.deliveries) == 2)
    assert receiver.deliveries[0]["body"] != ""
    assert receiver.events[0]["id"] == receiver.events[1]["id"]


def test_drop(api, running, receiver):
    running.control("webhooks", mode="drop")
    api.customers.create({})
    running.control("webhooks", mode="deliver")
    second = api.customers.create({})
    wait_for(lambda: receiver.deliveries)
    assert receiver.events[0]["data"]["object"]["id"] == second.id
    assert len(api.events.list({}).data) == 2
    assert running.state()["deliveries"]["dropped"] == 1


def test_reading_events(api, running):
    intent = pay(api)
    newest = api.events.list({"types": ["payment_intent.succeeded", "charge.succeeded"]})
    assert [e.type for e in newest.data] == ["payment_intent.succeeded", "charge.succeeded"]
    one = api.events.retrieve(newest.data[0].id)
    assert one.data.object.id == intent.id
    assert len(api.events.list({"type": "charge.*"}).data) == 2
    running.clock.ahead = 200
    late = api.customers.create({})
    recent = api.events.list({"created": {"gte": late.created}})
    assert [e.type for e in recent.data] == ["customer.created"]


def test_at_most_twenty_types_in_one_question(api):
    kinds = [f"customer.kind_{n}" for n in range(21)]
    assert api.events.list({"types": kinds[:20]}).data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.events.list({"types": kinds})
    assert (caught.value.http_status, caught.value.param) == (400, "types")


def test_nobody_listens(start):
    quiet = start()
    quiet.client().customers.create({})
    assert quiet.state()["deliveries"] == {}
    assert quiet.client().events.list({}).data[0].pending_webhooks == 0


def test_restart_goes_on_delivering(start, receiver, tmp_path):
    state = tmp_path / "sandbox.db"
    first = start(state, receiver.url, retry_delays=(0.3,))
    receiver.statuses = [503]
    made = first.client().customers.create({"name": "kept"}, {"idempotency_key": "k"})
    wait_for(lambda: receiver.deliveries)
    first.control("webhooks", mode="hold")
    start.stop(first)
    second = start(state, receiver.url).client()
    wait_for(lambda: len(receiver.deliveries) == 2)
    assert json.loads(receiver.deliveries[1]["body"])["data"]["object"]["id"] == made.id
    again = second.customers.create({"name": "kept"}, {"idempotency_key": "k"})
    assert again.id == made.id
    assert [c.id for c in second.customers.list({}).data] == [made.id]


def test_events_of_everything_else(running, api, receiver, customer):
    """The receiver's own check of shapes is the point: it ends the test."""
    pages = stripe.StripeClient(
        KEY, base_addresses={"api": running.url}, http_client=api._requestor._client
    )
    bought = api.checkout.sessions.create(payment(customer))
    with pytest.raises(stripe.CardError):
        confirm(pages, bought.id, "pm_card_visa_chargeDeclined")
    intent = confirm(pages, bought.id, "pm_card_pendingRefund")["payment_intent"]
    api.refunds.create({"payment_intent": intent, "amount": 500})
    saved = api.checkout.sessions.create(saving(customer))
    confirm(pages, saved.id, "pm_card_createDispute")
    method = api.setup_intents.retrieve(saved.setup_intent).payment_method
    api.payment_intents.create(charge_params(customer, method))
    (dispute,) = api.disputes.list({}).data
    api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    abandoned = api.checkout.sessions.create(saving(customer))
    running.control("clock", advance=2000)
    wait_for(lambda: receiver.kinds.count("checkout.session.expired") == 1)
    told = set(receiver.kinds)
    assert {
        "refund.created",
        "refund.updated",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "checkout.session.completed",
        "setup_intent.canceled",
    } <= told
    expired = [e for e in receiver.events if e["type"] == "checkout.session.expired"]
    assert expired[0]["data"]["object"]["id"] == abandoned.id
    for delivery in receiver.deliveries:
        assert "4000000000007726" not in delivery["body"], "a card number left the sandbox"
