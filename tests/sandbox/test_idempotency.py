"""One Idempotency-Key, one outcome: replayed, refused, or told to wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import stripe

from tests.sandbox.conftest import charge_params
from tests.sandbox.test_validation import send


def test_replay(api, customer, saved_card):
    params = charge_params(customer, saved_card.id)
    first = api.payment_intents.create(params, {"idempotency_key": "order-1"})
    again = api.payment_intents.create(params, {"idempotency_key": "order-1"})
    assert again.to_dict() == first.to_dict()
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(api.charges.list({}).data) == 1


def test_a_decline_is_replayed_too(api, customer):
    params = charge_params(customer, "pm_card_chargeDeclined")
    seen = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.create(params, {"idempotency_key": "order-2"})
        seen.append(caught.value.error.payment_intent.id)
    assert seen[0] == seen[1]
    assert len(api.charges.list({}).data) == 1


def test_other_parameters_are_refused(api, customer):
    api.customers.create({"name": "one"}, {"idempotency_key": "key"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        api.customers.create({"name": "two"}, {"idempotency_key": "key"})
    with pytest.raises(stripe.IdempotencyError):
        api.customers.update(customer.id, {"name": "one"}, {"idempotency_key": "key"})


def test_a_parameter_error_leaves_the_key_free(api, wrong_api, running):
    with pytest.raises(stripe.InvalidRequestError):
        wrong_api.customers.create({"nmae": "x"}, {"idempotency_key": "key"})
    with pytest.raises(stripe.AuthenticationError):
        running.client("sk_live_x").customers.create({}, {"idempotency_key": "key"})
    assert api.customers.create({"name": "x"}, {"idempotency_key": "key"}).name == "x"


def test_keys_are_forgotten_after_a_day(running):
    headers = {"Idempotency_Key": "key"}
    first = send(running, "POST", "/v1/customers", "name=x", **headers)[1]["id"]
    assert send(running, "POST", "/v1/customers", "name=x", **headers)[1]["id"] == first
    running.clock.ahead = 86_401
    unrecorded = replace(running, wrong_url=running.direct)  # the checker: keys last for ever
    assert send(unrecorded, "POST", "/v1/customers", "name=x", **headers)[1]["id"] != first


def test_a_key_has_a_length(running):
    status, answer, _ = send(running, "POST", "/v1/customers", Idempotency_Key="k" * 256)
    assert (status, "255" in answer["error"]["message"]) == (400, True)


def test_twelve_at_once_make_one_charge(running, api, customer, saved_card):
    params = charge_params(customer, saved_card.id)
    running.control("faults", match="POST /v1/payment_intents", mode="delay", seconds=0.1)
    clients = [running.client(retries=5) for _ in range(12)]

    def charge(client):
        return client.payment_intents.create(params, {"idempotency_key": "order-3"}).id

    with ThreadPoolExecutor(12) as pool:
        ids = set(pool.map(charge, clients))
    assert len(ids) == 1
    assert len(api.charges.list({}).data) == 1
    assert running.state()["objects"]["payment_intent.succeeded"] == 1


def test_a_key_in_use_is_a_conflict(running, api):
    running.control("faults", match="POST /v1/customers", mode="delay", seconds=0.5)
    clients = [running.client() for _ in range(12)]

    def create(client):
        try:
            return client.customers.create({"name": "x"}, {"idempotency_key": "key"}).id
        except stripe.StripeError as error:
            return error.http_status, error.error.code

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(create, clients))
    made = [c.id for c in api.customers.list({}).data]
    assert answers == {(409, "idempotency_key_in_use"), *made}
    assert len(made) == 1
