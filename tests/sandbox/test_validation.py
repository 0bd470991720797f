"""Requests that Stripe refuses by shape, over plain HTTP; and who may call."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request

import pytest
import stripe

from portal.sandbox import rules
from tests.sandbox.conftest import KEY

PINNED = "2026-10-28.endive"
INTENT = "amount=500&currency=usd"


def send(running, method, path, body="", key=KEY, version=PINNED, **headers):
    """(status, parsed body, headers) of one raw request."""
    request = urllib.request.Request(running.wrong_url + path, method=method)
    request.add_header("Authorization", f"Bearer {key}")
    if version:
        request.add_header("Stripe-Version", version)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    if method == "POST":
        request.data = body.encode()
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.load(answer), answer.headers


BAD = [
    ("/v1/customers", "emial=a", "parameter_unknown", "emial", "Received unknown parameter: emial"),
    ("/v1/customers", "a=1&b=2", "parameter_unknown", "a", "Received unknown parameters: a, b"),
    ("/v1/customers", "address[town]=x", "parameter_unknown", "address[town]", None),
    ("/v1/customers", "email=", "parameter_invalid_empty", "email", None),
    ("/v1/customers", "metadata=x", None, "metadata", "Invalid object"),
    ("/v1/customers", f"metadata[{'k' * 41}]=x", None, "metadata", None),
    ("/v1/customers", f"metadata[k]={'v' * 501}", None, "metadata[k]", None),
    ("/v1/customers", f"name={'n' * 300}", None, "name", "at most 256 characters"),
    ("/v1/customers", "email[x]=1", None, "email", "Invalid string"),
    ("/v1/customers", "preferred_locales=en", None, "preferred_locales", "Invalid array"),
    ("/v1/customers", "tax_exempt=maybe", None, "tax_exempt", "must be one of"),
    ("/v1/payment_intents", "currency=usd", "parameter_missing", "amount", "required param"),
    ("/v1/payment_intents", "amount=500", "parameter_missing", "currency", "required param"),
    (
        "/v1/payment_intents",
        "amount=15.00&currency=usd",
        "parameter_invalid_integer",
        "amount",
        "Invalid integer: 15.00",
    ),
    ("/v1/payment_intents", f"{INTENT}&confirm=yes", None, "confirm", "Invalid boolean: yes"),
    ("/v1/payment_intents", f"{INTENT}&off_session=perhaps", None, "off_session", None),
    ("/v1/payment_intents", f"{INTENT}&setup_future_usage=ever", None, "setup_future_usage", None),
    (
        "/v1/payment_intents",
        f"{INTENT}&automatic_payment_methods[allow_redirects]=never",
        "parameter_missing",
        "automatic_payment_methods[enabled]",
        None,
    ),
    (
        "/v1/payment_intents",
        f"{INTENT}&payment_method_types[]=card",
        "payment_method_types_no_longer_supported",
        "payment_method_types",
        None,
    ),
    (
        "/v1/payment_intents",
        f"{INTENT}&allowed_payment_method_types[]=cards",
        None,
        "allowed_payment_method_types[0]",
        "must be one of",
    ),
]


@pytest.mark.parametrize(("path", "body", "code", "param", "message"), BAD)
def test_bad_parameters(running, path, body, code, param, message):
    status, answer, headers = send(running, "POST", path, body)
    error = answer["error"]
    assert (status, error["type"], error.get("code"), error["param"]) == (
        400,
        "invalid_request_error",
        code,
        param,
    )
    assert (message or "") in error["message"] != ""
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == PINNED


def test_bad_query(running):
    status, answer, _ = send(running, "GET", "/v1/events?kinds[]=x")
    assert (status, answer["error"]["code"]) == (400, "parameter_unknown")
    status, answer, _ = send(running, "GET", "/v1/events?created[since]=1")
    assert answer["error"]["param"] == "created[since]"


def test_without_a_version_an_older_default_applies(running):
    body = f"{INTENT}&payment_method_types[]=card"
    status, answer, headers = send(running, "POST", "/v1/payment_intents", body, version=None)
    assert (status, answer["payment_method_types"]) == (200, ["card"])
    assert headers["Stripe-Version"] == rules.API_VERSION


def test_an_older_version_takes_cards_without_a_way_back(running):
    """As the command line tool sends them: no version, no return_url."""
    for path, body in (("payment_intents", INTENT), ("setup_intents", "usage=off_session")):
        body += "&confirm=true&payment_method=pm_card_visa"
        status, answer, _ = send(running, "POST", f"/v1/{path}", body, version=None)
        assert (status, answer["status"]) == (200, "succeeded")
        assert answer["automatic_payment_methods"] is None
        assert send(running, "POST", f"/v1/{path}", body)[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/customers"),
        ("POST", "/v1/subscriptions"),
        ("GET", "/x"),
    ],
)
def test_unknown_addresses(running, method, path):
    status, answer, _ = send(running, method, path)
    assert (status, answer["error"]["type"]) == (404, "invalid_request_error")
    assert f"({method}: {path})" in answer["error"]["message"]


@pytest.mark.parametrize("key", ["sk_test_a1", "rk_test_a1"])
def test_test_keys_by_bearer_and_basic(running, key):
    assert send(running, "GET", "/v1/customers", key=key)[0] == 200
    basic = base64.b64encode(f"{key}:".encode()).decode()
    assert send(running, "GET", "/v1/customers", Authorization=f"Basic {basic}")[0] == 200


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sk_live_a1", "Live key refused"),
        ("rk_live_a1", "Live key refused"),
        ("pk_test_a1", "Invalid API Key"),
        ("nonsense", "Invalid API Key"),
        ("", "did not provide an API key"),
    ],
)
def test_other_keys_are_refused(running, key, message):
    for path in ("/v1/customers", "/v1/nothing"):
        status, answer, _ = send(running, "GET", path, key=key)
        assert (status, answer["error"]["type"]) == (401, "invalid_request_error")
        assert message in answer["error"]["message"]
    assert "a1" not in answer["error"]["message"]


def test_the_library_sees_an_authentication_error(running):
    with pytest.raises(stripe.AuthenticationError, match="Live key refused"):
        running.client("sk_live_x").customers.list({})
