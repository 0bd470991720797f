"""Which deliveries are believed, and what is read from them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
import stripe

from portal.domain.errors import PaymentsUnavailable
from portal.gateways.stripe_payments import stripe_client
from portal.gateways.stripe_webhooks import (
    EVENT_TYPES,
    MOST_TYPES,
    BadEvent,
    BadSignature,
    recent_events,
    verified_event,
)
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import SandboxProcessor, fresh

SECRET, OLD_SECRET, STRANGER = "whsec_new", "whsec_old", "whsec_stranger"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1_793_000_000,
    "livemode": False,
    "type": "payment_intent.succeeded",
    "data": {
        "object": {
            "id": "pi_1",
            "object": "payment_intent",
            "description": "Añadido",
            "metadata": {"attempt_id": "a-1"},
        }
    },
}
THIN = {"id": "evt_2", "object": "v2.core.event", "type": "v1.charge.failed", "livemode": False}


def body(event: Any = EVENT) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def signed(payload: bytes, secret: str = SECRET, age_s: int = 0) -> str:
    at = int(time.time()) - age_s
    header: str = stripe.WebhookSignature.generate_signature_header(payload.decode(), secret, at)
    return header


def test_a_good_delivery_is_read() -> None:
    news = verified_event(body(), signed(body()), [SECRET])
    assert asdict(news) == {
        "id": "evt_1",
        "type": "payment_intent.succeeded",
        "created": datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC),
        "livemode": False,
        "object_id": "pi_1",
        "object_type": "payment_intent",
        "labels": {"attempt_id": "a-1"},
        "ignored": False,
        "payload": EVENT,
    }


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_secrets_are_good_while_they_rotate(secret: str) -> None:
    assert verified_event(body(), signed(body(), secret), [SECRET, OLD_SECRET]).id == "evt_1"


def test_a_delivery_signed_with_both_secrets_is_good() -> None:
    both = f"{signed(body(), STRANGER)},{signed(body()).partition(',')[2]}"
    assert verified_event(body(), both, [SECRET]).id == "evt_1"


@pytest.mark.parametrize(
    ("signature", "secrets"),
    [
        pytest.param(signed(body())[:-1] + "?", [SECRET], id="one sign off"),
        pytest.param(signed(body(), STRANGER), [SECRET, OLD_SECRET], id="another secret"),
        pytest.param(signed(body(), OLD_SECRET), [SECRET], id="a secret no longer ours"),
        pytest.param(signed(body(), age_s=400), [SECRET], id="400 seconds old"),
        pytest.param(signed(body()).replace("v1=", "v0="), [SECRET], id="another scheme"),
        pytest.param(signed(body(EVENT | {"id": "evt_9"})), [SECRET], id="another body"),
        pytest.param(f"t={int(time.time())}", [SECRET], id="no signature in it"),
        pytest.param("t=1,v1=ünîcödé", [SECRET], id="not ASCII"),
        pytest.param("nonsense", [SECRET], id="nonsense"),
        pytest.param("", [SECRET], id="empty"),
        pytest.param(None, [SECRET], id="missing"),
        pytest.param(signed(body(), ""), [""], id="empty secret"),
        pytest.param(signed(body(), "  "), ["  "], id="blank secret"),
        pytest.param(signed(body()), [], id="no secret"),
    ],
)
def test_a_delivery_nobody_vouches_for(signature: str | None, secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        verified_event(body(), signature, secrets)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(BadSignature):
        verified_event(b"\xff\xfe{", signed(body()), [SECRET])


def test_the_age_limit_can_be_changed_but_not_lifted() -> None:
    assert verified_event(body(), signed(body(), age_s=400), [SECRET], 500).id == "evt_1"
    with pytest.raises(ValueError, match="tolerance"):
        verified_event(body(), signed(body(), age_s=400), [SECRET], 0)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(body(THIN), id="thin event"),
        pytest.param(body(EVENT | {"object": "v2.core.event"}), id="thin event with an object"),
        pytest.param(b"not json", id="not JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a text"),
        pytest.param(body(EVENT | {"data": {}}), id="without its object"),
        pytest.param(body(EVENT | {"data": {"object": "pi_1"}}), id="with an id for its object"),
        pytest.param(body(EVENT | {"created": "yesterday"}), id="without a time"),
    ],
)
def test_a_signed_body_that_is_no_event(payload: bytes) -> None:
    with pytest.raises(BadEvent):
        verified_event(payload, signed(payload), [SECRET])


def test_an_event_of_a_connected_account_is_ignored() -> None:
    payload = body(EVENT | {"account": "acct_1"})
    assert verified_event(payload, signed(payload), [SECRET]).ignored


def test_an_object_without_labels_or_id() -> None:
    payload = body(EVENT | {"data": {"object": {"object": "balance", "metadata": None}}})
    news = verified_event(payload, signed(payload), [SECRET])
    assert (news.object_type, news.object_id, news.labels) == ("balance", "", {})


def test_recent_events_tell_of_a_charge(sandbox: SandboxProcessor, charge_for: ChargeFor) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    owner = sandbox.gateway.create_customer(fresh("customer"), "Northwind", "a@b.test", {})
    charges = [charge_for(owner, "pm_card_visa") for _ in range(2)]
    for charge in charges:
        sandbox.gateway.charge(charge)
    told = [news for news in recent_events(sandbox.client, began) if news.object_type != "customer"]
    ours = [news for news in told if news.payload["data"]["object"].get("customer") == owner]
    assert [news.labels for news in ours] == [charge.labels for charge in reversed(charges)]
    assert {n.type for n in ours} == {"payment_intent.succeeded"}
    assert ours[0].payload["data"]["object"]["status"] == "succeeded"
    assert not list(recent_events(sandbox.client, began + timedelta(hours=1)))


def test_recent_events_of_every_page(sandbox: SandboxProcessor, charge_for: ChargeFor) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    owner = sandbox.gateway.create_customer(fresh("customer"), "Northwind", "a@b.test", {})
    for _ in range(110):
        sandbox.client.v1.payment_intents.cancel(
            sandbox.client.v1.payment_intents.create(
                {"amount": 50, "currency": "usd", "customer": owner}
            ).id
        )
    ours = recent_events(sandbox.client, began, ["payment_intent.canceled"])
    assert sum(n.payload["data"]["object"].get("customer") == owner for n in ours) == 110


def test_recent_events_say_when_stripe_cannot_be_asked(sandbox: SandboxProcessor) -> None:
    refused = stripe_client("sk_live_wrong", sandbox.base)
    with pytest.raises(PaymentsUnavailable):
        list(recent_events(refused, datetime.now(UTC)))


def test_stripe_has_every_type_we_ask_for() -> None:
    assert set(EVENT_TYPES) <= set(get_args(get_type_hints(stripe.Event)["type"]))
    assert len(set(EVENT_TYPES)) == len(EVENT_TYPES)


class TwoQuestions:
    """Stripe's list of events: each question finds events of 2, then 3 seconds apart."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def list(self, params: dict[str, Any]) -> Any:
        self.asked.append(params["types"])
        step = 1 + len(self.asked)
        found = [EVENT | {"created": EVENT["created"] - step * n} for n in range(3)]
        listed = {"object": "list", "data": found, "has_more": False}
        return stripe.ListObject.construct_from(listed, "sk_test_x")


def test_more_types_than_one_question_takes_come_newest_first() -> None:
    events = TwoQuestions()
    client: Any = SimpleNamespace(v1=SimpleNamespace(events=events))
    told = [int(news.created.timestamp()) for news in recent_events(client, datetime.now(UTC))]
    assert [EVENT["created"] - at for at in told] == [0, 0, 2, 3, 4, 6]
    assert [kind for types in events.asked for kind in types] == list(EVENT_TYPES)
    assert max(map(len, events.asked)) == MOST_TYPES


def test_events_of_every_question_are_told(sandbox: SandboxProcessor) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    owner = sandbox.gateway.create_customer(fresh("customer"), "Northwind", "a@b.test", {})
    card = sandbox.gateway.save_card(owner, "pm_card_visa", fresh("card"))
    intent = sandbox.client.v1.payment_intents.create(
        {"amount": 50, "currency": "usd", "customer": owner}
    )
    sandbox.client.v1.payment_intents.cancel(intent.id)
    ours = [n for n in recent_events(sandbox.client, began) if owner in str(n.payload)]
    assert {n.object_id for n in ours} == {card.reference, intent.id}
