"""Injected failures, and what the library makes of them."""

from __future__ import annotations

import time
import urllib.error

import pytest
import stripe

from tests.sandbox.conftest import charge_params

CREATE = "POST /v1/payment_intents"


def test_500_after_the_charge(running, api, customer, saved_card):
    running.control("faults", match=CREATE, mode="after_500")
    params = charge_params(customer, saved_card.id, metadata={"attempt_id": "a1"})
    for _ in range(2):  # stored for the key, so a retry learns nothing new
        with pytest.raises(stripe.APIError) as caught:
            api.payment_intents.create(params, {"idempotency_key": "a1"})
        assert caught.value.http_status == 500
    found = api.payment_intents.list({"customer": customer.id}).data
    assert [(i.status, i.metadata["attempt_id"]) for i in found] == [("succeeded", "a1")]


def test_500_before_anything_happened(running, api, customer, saved_card):
    running.control("faults", match=CREATE, mode="before_500")
    params = charge_params(customer, saved_card.id)
    with pytest.raises(stripe.APIError):
        api.payment_intents.create(params, {"idempotency_key": "a1"})
    assert api.payment_intents.list({}).data == []
    assert api.payment_intents.create(params, {"idempotency_key": "a2"}).status == "succeeded"


def test_connection_lost_after_the_charge(running, api, customer, saved_card):
    running.control("faults", match=CREATE, mode="after_drop")
    params = charge_params(customer, saved_card.id)
    with pytest.raises(stripe.APIConnectionError):
        api.payment_intents.create(params, {"idempotency_key": "a1"})
    again = api.payment_intents.create(params, {"idempotency_key": "a1"})
    assert again.status == "succeeded"
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert running.state()["objects"]["charge.succeeded"] == 1


def test_connection_lost_before_the_charge(running, api, customer, saved_card):
    running.control("faults", match=CREATE, mode="before_drop")
    params = charge_params(customer, saved_card.id)
    with pytest.raises(stripe.APIConnectionError):
        api.payment_intents.create(params, {"idempotency_key": "a1"})
    assert "charge.succeeded" not in running.state()["objects"]
    assert api.payment_intents.create(params, {"idempotency_key": "a1"}).status == "succeeded"


def test_the_librarys_own_retry_survives_a_drop(running, customer, saved_card):
    running.control("faults", match=CREATE, mode="after_drop")
    client = running.client(retries=2)
    assert client.payment_intents.create(charge_params(customer, saved_card.id)).amount == 1500
    assert running.state()["objects"]["charge.succeeded"] == 1


def test_rate_limit(running, api):
    running.control("faults", match="* /v1/customers*", mode="429", n=2)
    for call in (
        lambda: api.customers.create({}, {"idempotency_key": "k"}),
        lambda: api.customers.list({}),
    ):
        with pytest.raises(stripe.RateLimitError) as caught:
            call()
        assert caught.value.error.code == "rate_limit"
    assert api.customers.create({}, {"idempotency_key": "k"}).id


def test_delay(running, api):
    running.control("faults", match="GET /v1/customers", mode="delay", seconds=0.2)
    begin = time.monotonic()
    api.customers.list({})
    assert time.monotonic() - begin >= 0.2
    assert running.state()["faults_waiting"] == 0


def test_a_fault_meets_only_what_it_names(running, api):
    running.control("faults", match=CREATE, mode="before_500")
    assert api.customers.create({}).id
    assert running.state()["faults_waiting"] == 1
    running.control("reset")
    assert running.state() == {
        "objects": {},
        "deliveries": {},
        "webhook_mode": "deliver",
        "faults_waiting": 0,
    }


@pytest.mark.parametrize("given", [{"match": "x"}, {"match": "x", "mode": "explode"}])
def test_a_fault_must_make_sense(running, given):
    with pytest.raises(urllib.error.HTTPError) as caught:
        running.control("faults", **given)
    assert caught.value.code == 400
    caught.value.close()
