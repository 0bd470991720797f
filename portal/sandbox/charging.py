"""Turns a confirmed intent into money, a decline, or a request to authenticate."""

from __future__ import annotations

from typing import NoReturn

from portal.sandbox import cards, charges, events, payment_methods
from portal.sandbox.calls import Call
from portal.sandbox.errors import CardError
from portal.sandbox.store import Object, new_id, public


def attempt(
    call: Call, intent: Object, method: Object, off_session: bool, refuse_action: bool
) -> Object:
    """Charge the card, unless it must be authenticated first.

    `refuse_action` is Stripe's error_on_requires_action: fail rather than wait for the customer.
    Raises CardError when the charge fails; the failed charge and the intent are kept.
    """
    card = payment_methods.card_of(method)
    if card.asks(off_session, bool(method.get("_set_up"))):
        if off_session or refuse_action:
            fail(call, intent, method, cards.AUTHENTICATION_REQUIRED)
        return _ask(call, intent, method)
    return settle(call, intent, method, authenticated=False)


def settle(call: Call, intent: Object, method: Object, authenticated: bool) -> Object:
    """Charge the card, whatever it is: nothing is left to ask of the customer."""
    card = payment_methods.card_of(method)
    if card.refusal is not None:
        fail(call, intent, method, card.refusal)
    charge = charges.succeed(call, intent, method, authenticated)
    _keep_card(call, intent, method)
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=method["id"],
        next_action=None,
        last_payment_error=None,
    )
    events.emit(call, "payment_intent.succeeded", call.store.save(intent))
    charges.tell_booked(call, charge)
    if card.dispute is not None:
        call.later(0, "open_dispute", charge["id"])
    return intent


def resume(call: Call, intent: Object, passed: bool) -> Object:
    """The customer came back from the bank's page. Raises CardError if the payment then fails."""
    method = call.get("payment_method", intent["payment_method"])
    if not passed:
        refuse(call, intent, method, cards.AUTHENTICATION_FAILED)
    return settle(call, intent, method, authenticated=True)


def fail(call: Call, intent: Object, method: Object, decline: cards.Decline) -> NoReturn:
    """Record a charge the bank refused, then refuse the payment."""
    charge = charges.fail(call, intent, method, decline)
    intent["latest_charge"] = charge["id"]
    refuse(call, intent, method, decline, charge["id"])


def refuse(
    call: Call, intent: Object, method: Object, decline: cards.Decline, charge: str | None = None
) -> NoReturn:
    """Send the intent back for another card and raise what Stripe answers."""
    reasons = {
        "advice_code": decline.advice_code,
        "charge": charge,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "param": decline.param,
    }
    told = {k: v for k, v in reasons.items() if v is not None}
    shown = public(method)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={
            **told,
            "message": decline.message,
            "payment_method": shown,
            "type": "card_error",
        },
    )
    events.emit(call, "payment_intent.payment_failed", call.store.save(intent))
    raise CardError(decline.message, **told, payment_intent=public(intent), payment_method=shown)


def _ask(call: Call, intent: Object, method: Object) -> Object:
    """Wait for the customer at the bank's page; with no way back, for Stripe.js."""
    intent["payment_method"] = method["id"]
    url = f"{call.base_url}/3ds/{intent['id']}"
    back = intent.get("_return_url")
    if back:
        action = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": back, "url": url},
        }
    else:
        source = new_id("payatt_3", 23)
        action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "source": source},
        }
    intent.update(status="requires_action", next_action=action)
    events.emit(call, "payment_intent.requires_action", call.store.save(intent))
    return intent


def _keep_card(call: Call, intent: Object, method: Object) -> None:
    """Save the card if the payment was to; otherwise a card nobody owns is spent."""
    usage = intent["setup_future_usage"]
    if usage and intent["customer"] and method["customer"] is None:
        payment_methods.keep(call, method, intent["customer"])
    if usage == "off_session":
        method["_set_up"] = True
    if method["customer"] is None:
        method["_spent"] = True
    call.store.save(method)
