"""Stripe's deliveries: verified, stored first, processed once."""

from __future__ import annotations

import json

import pytest
import stripe

from portal.gateways.fake_payments import Fault
from portal.models.events import StripeEventRow
from portal.models.invoices import InvoiceRow

URL = "/webhooks/stripe/development"


def event(world, name: str = "evt_1", reference: str = "", kind: str = "payment_intent") -> str:
    thing = {"id": reference, "object": kind, "metadata": {}}
    return json.dumps(
        {
            "id": name,
            "object": "event",
            "type": f"{kind}.succeeded",
            "created": int(world.now.timestamp()),
            "livemode": False,
            "data": {"object": thing},
        }
    )


def deliver(client, payload: str, secret: str = "whsec_test"):
    signature = stripe.WebhookSignature.generate_signature_header(payload, secret)
    return client.post(URL, data=payload, headers={"Stripe-Signature": signature})


def test_a_delivery_settles_what_the_form_could_not(world, app):
    actor = world.account()
    world.gateway.answers.append(Fault.ANSWER_LOST)
    world.buy(actor, "salesforce")
    reference = world.gateway.find_payment(world.gateway.taken[0], 3600).outcome.reference
    client = app.test_client()
    for _ in range(3):
        assert deliver(client, event(world, reference=reference)).status_code == 200
    assert world.rows(InvoiceRow) == world.rows(StripeEventRow) == 1
    assert len(world.state(actor).held) == 1


@pytest.mark.parametrize(("secret", "body"), [("whsec_other", None), ("whsec_test", "garbage")])
def test_what_is_not_stripes_is_refused_and_not_stored(secret, body, world, app):
    world.account()
    payload = body or event(world, reference="pi_1")
    assert deliver(app.test_client(), payload, secret).status_code == 400
    assert world.rows(StripeEventRow) == 0


def test_no_signature_no_entry(world, app):
    world.account()
    assert app.test_client().post(URL, data=event(world)).status_code == 400


def test_another_environments_path_is_404(world, app):
    world.account()
    reply = app.test_client().post("/webhooks/stripe/production", data="{}")
    assert reply.status_code == 404


def test_an_unknown_object_is_stored_and_left_alone(world, app):
    world.account()
    assert deliver(app.test_client(), event(world, kind="invoice")).status_code == 200
    assert world.rows(StripeEventRow) == 1


def test_an_event_that_cannot_be_processed_waits(world, app):
    world.account()
    assert deliver(app.test_client(), event(world, reference="pi_unknown")).status_code == 200
    with world.session() as session:
        row = session.query(StripeEventRow).one()
    assert row.processed_at is None
    assert row.failure
