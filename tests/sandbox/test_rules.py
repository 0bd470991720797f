"""The vendored rules: complete, small, reproducible; and every nullable key in every answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import stripe

from portal.sandbox import app, rules
from portal.sandbox.rulegen.__main__ import installed_package, make_rules, written
from portal.sandbox.rulegen.openapi import Document
from tests.sandbox.conftest import charge_params
from tests.support import conformance

FILE = Path(rules.__file__).with_name("rules.json")


def test_rules_are_for_the_installed_library():
    assert installed_package().api_version == rules.API_VERSION
    assert stripe.api_version == rules.API_VERSION


def test_every_route_has_rules_that_know_its_parameters():
    for operation, route in app.ROUTES.items():
        assert rules.known_operation(operation)
        with pytest.raises(rules.ApiError) as caught:
            rules.validate(operation, {"?": "", **dict.fromkeys(route.takes, "")}, pinned=True)
        assert caught.value.body["error"]["message"] == "Received unknown parameter: ?", operation


def test_the_file_is_small_and_licensed():
    assert FILE.stat().st_size < 250_000
    assert "MIT License" in FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")


def test_the_file_is_what_the_generator_makes():
    spec = conformance.SHARED / "spec-slice.json"
    if not spec.exists():
        pytest.skip("Stripe's OpenAPI file is not beside this repository")
    document = Document(json.loads(spec.read_text(encoding="utf-8")))
    assert written(make_rules(document, installed_package())) == FILE.read_text(encoding="utf-8")


def test_every_nullable_key_is_there(api, customer, saved_card):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    charge = api.charges.retrieve(intent.latest_charge)
    entry = api.balance_transactions.retrieve(charge.balance_transaction)
    event = api.events.list({"limit": 1}).data[0]
    for thing in (customer, saved_card, intent, charge, entry, event):
        missing = [k for k in rules.template(thing.object) if k not in thing]
        assert missing == [], thing.object
    assert customer.phone is None
    assert saved_card.card.wallet is None
    assert intent.next_action is None
    assert charge.failure_code is None
    assert charge.payment_method_details.card.three_d_secure is None


def test_the_recorder_was_there():
    if conformance.tool() is None:
        pytest.skip("no ../shared/stripe/conformance.py: the traffic of these tests went unjudged")
    wrong = {
        "method": "POST",
        "path": "/v1/customers",
        "headers": {"Stripe-Version": rules.API_VERSION, "Idempotency-Key": "k"},
        "body": "nmae=x",
        "status": 200,
        "response_headers": {"Request-Id": "req_1"},
        "response": {"id": "cus_1", "object": "customer"},
    }
    kinds = {f.kind for f in conformance.errors([wrong])}
    assert {"request.unknown", "accepted_bad_request", "response.missing"} <= kinds
