"""Turns a confirmed setup intent into a saved card, a refusal, or a request to authenticate."""

from __future__ import annotations

from typing import NoReturn

from portal.sandbox import cards, events, payment_methods
from portal.sandbox.calls import Call
from portal.sandbox.errors import CardError
from portal.sandbox.store import Object, new_id, public


def attempt(call: Call, intent: Object, method: Object) -> Object:
    """Save the card, unless its bank must be asked first. Raises CardError if it refuses."""
    card = payment_methods.card_of(method)
    intent["latest_attempt"] = new_id("setatt_1")
    if card.refusal is not None and not card.saves:
        refuse(call, intent, method, card.refusal)
    if card.asks_on_setup:
        return _ask(call, intent, method)
    return _save(call, intent, method)


def resume(call: Call, intent: Object, passed: bool) -> Object:
    """The customer came back from the bank's page. Raises CardError if it was not passed."""
    method = call.get("payment_method", intent["payment_method"])
    if not passed:
        refuse(call, intent, method, cards.SETUP_AUTHENTICATION_FAILED)
    return _save(call, intent, method)


def _save(call: Call, intent: Object, method: Object) -> Object:
    if intent["customer"] and method["customer"] is None:
        payment_methods.keep(call, method, intent["customer"])
    if intent["usage"] == "off_session":
        method["_set_up"] = True
        call.store.save(method)
    intent.update(
        status="succeeded", payment_method=method["id"], next_action=None, last_setup_error=None
    )
    events.emit(call, "setup_intent.succeeded", call.store.save(intent))
    return intent


def refuse(call: Call, intent: Object, method: Object, decline: cards.Decline) -> NoReturn:
    """Send the intent back for another card and raise what Stripe answers."""
    reasons = {
        "advice_code": decline.advice_code,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "param": decline.param,
    }
    told = {k: v for k, v in reasons.items() if v is not None}
    shown = public(method)
    error = {**told, "message": decline.message, "payment_method": shown, "type": "card_error"}
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=error,
    )
    events.emit(call, "setup_intent.setup_failed", call.store.save(intent))
    raise CardError(decline.message, **told, setup_intent=public(intent), payment_method=shown)


def _ask(call: Call, intent: Object, method: Object) -> Object:
    """Wait for the customer at the bank's page; with no way back, for Stripe.js."""
    intent["payment_method"] = method["id"]
    back = intent.get("_return_url")
    if back:
        url = f"{call.base_url}/3ds/{intent['id']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": url}}
    else:
        sdk = {"type": "three_d_secure_redirect", "source": new_id("payatt_3", 23)}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    intent.update(status="requires_action", next_action=action)
    events.emit(call, "setup_intent.requires_action", call.store.save(intent))
    return intent
