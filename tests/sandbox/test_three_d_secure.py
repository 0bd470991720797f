"""The bank's page: the way there, both answers, and the way back."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe

from tests.sandbox.conftest import charge_params

BACK = "http://127.0.0.1:9/return?order=7"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words):
        return None


def press(url, step):
    """Where the page sends the browser."""
    data = urllib.parse.urlencode({"step": step}).encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(_Stay).open(url, data)
    caught.value.close()
    assert caught.value.code == 303
    return urllib.parse.urlsplit(caught.value.headers["Location"])


def look(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def waiting(api, customer, name, **more):
    card = api.payment_methods.attach(f"pm_card_{name}", {"customer": customer.id})
    params = charge_params(customer, card.id, return_url=BACK, **more)
    del params["off_session"]
    intent = api.payment_intents.create(params)
    return intent, intent.next_action.redirect_to_url.url


def test_complete(api, customer):
    intent, url = waiting(api, customer, "authenticationRequired")
    page = look(url)
    assert "No real card is charged" in page
    assert "$15.00" in page
    assert "3184" in page
    back = press(url, "ok")
    assert back.path == "/return"
    query = dict(urllib.parse.parse_qsl(back.query))
    assert query["order"] == "7"
    assert query["payment_intent"] == intent.id
    assert query["redirect_status"] == "succeeded"
    paid = api.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert paid.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_fail(api, customer):
    intent, url = waiting(api, customer, "authenticationRequired")
    assert "redirect_status=failed" in press(url, "fail").query
    failed = api.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.latest_charge) == ("requires_payment_method", None)
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert api.events.list({"limit": 1}).data[0].type == "payment_intent.payment_failed"


def test_authenticated_and_still_declined(api, customer):
    intent, url = waiting(api, customer, "threeDSecureRequiredChargeDeclined")
    assert "redirect_status=failed" in press(url, "ok").query
    failed = api.payment_intents.retrieve(intent.id)
    assert failed.last_payment_error.decline_code == "generic_decline"


@pytest.mark.parametrize("name", ["authenticationRequiredOnSetup", "authenticationRequired"])
def test_declined_off_session_then_confirmed_on_session(api, customer, name):
    """The same intent is charged after all; a failed challenge can be tried again."""
    card = api.payment_methods.attach(f"pm_card_{name}", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        api.payment_intents.create(charge_params(customer, card.id))
    assert caught.value.code == "authentication_required"
    intent = caught.value.error.payment_intent.id

    def challenge():
        waiting = api.payment_intents.confirm(
            intent, {"payment_method": card.id, "return_url": BACK}
        )
        assert (waiting.status, waiting.payment_method) == ("requires_action", card.id)
        return waiting.next_action.redirect_to_url.url

    assert "redirect_status=failed" in press(challenge(), "fail").query
    failed = api.payment_intents.retrieve(intent)
    assert (failed.status, failed.next_action) == ("requires_payment_method", None)
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert failed.last_payment_error.payment_method.id == card.id
    assert "redirect_status=succeeded" in press(challenge(), "ok").query
    paid = api.payment_intents.retrieve(intent)
    assert (paid.status, paid.amount_received, paid.last_payment_error) == ("succeeded", 1500, None)
    charges = api.charges.list({"payment_intent": intent}).data
    assert [c.status for c in charges] == ["succeeded", "failed"]
    kinds = [e.type for e in reversed(api.events.list({"limit": 100}).data)]
    assert [k for k in kinds if k.startswith("payment_intent.")] == [
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


def test_what_waits_at_the_bank_can_be_given_up(api, customer):
    intent, url = waiting(api, customer, "authenticationRequired")
    gone = api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.next_action) == ("canceled", None)
    assert "nothing left to confirm" in look(url)
    press(url, "ok")
    assert api.charges.list({"payment_intent": intent.id}).data == []


def test_pressed_twice_pays_once(api, customer):
    intent, url = waiting(api, customer, "authenticationRequired")
    first, second = press(url, "ok"), press(url, "ok")
    assert first == second
    assert len(api.charges.list({"payment_intent": intent.id}).data) == 1
    assert "nothing left to confirm" in look(url)


@pytest.mark.parametrize(
    ("name", "works"), [("authenticationRequiredOnSetup", True), ("authenticationRequired", False)]
)
def test_a_card_set_up_on_session_can_work_off_session(api, customer, name, works):
    intent, url = waiting(api, customer, name, setup_future_usage="off_session")
    press(url, "ok")
    card = api.payment_intents.retrieve(intent.id).payment_method
    renewal = api.payment_intents.create(
        {"amount": 900, "currency": "usd", "customer": customer.id, "payment_method": card}
    )
    confirm = {"off_session": True, "return_url": BACK}
    if works:
        assert api.payment_intents.confirm(renewal.id, confirm).status == "succeeded"
    else:
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.confirm(renewal.id, confirm)
        assert caught.value.code == "authentication_required"


def test_no_such_payment(running):
    with pytest.raises(urllib.error.HTTPError) as caught:
        look(f"{running.direct}/3ds/pi_none")
    caught.value.close()
    assert caught.value.code == 404


def test_addresses_begin_as_browsers_see_them(start):
    client = start(public_base="http://pay.localhost:81").client()
    _, url = waiting(client, client.customers.create({}), "authenticationRequired")
    assert url.startswith("http://pay.localhost:81/3ds/pi_")
