"""What happens to an open Checkout Session: it is paid, it saves a card, or it expires."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.sandbox import (
    charging,
    events,
    intent_rules,
    payment_intents,
    setting_up,
    setup_intents,
)
from portal.sandbox.calls import Call, Deed
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object

KIND = "checkout.session"


def submit(call: Call, session: Object, method: Object) -> Object:
    """Use this card; the intent says whether the bank must be asked first.

    Raises CardError when the card is refused: the session stays open for another.
    Raises ApiError 400 unless the session is open.
    """
    check_open(session, "confirmed")
    setup = session["mode"] == "setup"
    intent = call.get("setup_intent", session["setup_intent"]) if setup else _payment(call, session)
    intent_rules.check_owner(method, intent["customer"])
    intent["_return_url"] = f"{call.base_url}/c/pay/{session['id']}"
    intent["_leads_to"] = success_url(session)
    if setup:
        setting_up.attempt(call, intent, method)
    else:
        charging.attempt(call, intent, method, off_session=False, refuse_action=False)
    finish(call, intent)
    return intent


def _payment(call: Call, session: Object) -> Object:
    """The session's payment intent: made at the first attempt, as at Stripe, then kept."""
    if session["payment_intent"] is not None:
        return call.get("payment_intent", session["payment_intent"])
    allowed = session["allowed_payment_method_types"]
    automatic = {"enabled": True, "allow_redirects": "never"}
    params: dict[str, Any] = {
        **session["_payment_data"],
        "amount": session["amount_total"],
        "currency": session["currency"],
        **(
            {"allowed_payment_method_types": allowed}
            if allowed
            else {"automatic_payment_methods": automatic}
        ),
    }
    if session["customer"]:
        params["customer"] = session["customer"]
    intent = payment_intents.create(replace(call, params=params))
    intent["_session"] = session["id"]
    session["payment_intent"] = intent["id"]
    call.store.save(session)
    return call.store.save(intent)


def finish(call: Call, intent: Object) -> None:
    """Complete the session once its intent succeeded."""
    if intent["status"] != "succeeded" or "_session" not in intent:
        return
    session = call.get(KIND, intent["_session"])
    method = call.get("payment_method", intent["payment_method"])
    details = session["customer_details"] or {}
    typed = method["billing_details"]
    session["customer_details"] = {
        **details,
        **{k: typed[k] for k in ("email", "name") if k in details and typed[k]},
    } or None
    paid = session["mode"] == "payment"
    session.update(
        status="complete",
        payment_status="paid" if paid else "no_payment_required",
        url=None,
    )
    events.emit(call, "checkout.session.completed", call.store.save(session))


def check_open(session: Object, verb: str) -> None:
    if session["status"] != "open":
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be {verb}. This Checkout '
            f"Session has a status of `{session['status']}`.",
            param="session",
        )


def expire(call: Call, session: Object) -> Object:
    """Close an open session, and what it had begun, for good."""
    check_open(session, "expired")
    if session["payment_intent"]:
        intent = call.get("payment_intent", session["payment_intent"])
        payment_intents.end(call, intent, "abandoned")
    if session["setup_intent"]:
        setup_intents.end(call, call.get("setup_intent", session["setup_intent"]), "abandoned")
    session.update(status="expired", url=None)
    events.emit(call, "checkout.session.expired", call.store.save(session))
    return session


def expire_by_clock(call: Call, identifier: str) -> None:
    session = call.get(KIND, identifier)
    if session["status"] == "open":
        expire(call, session)


def success_url(session: Object) -> str:
    """Where the customer goes afterwards, the session's id in the place kept for it."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


DEEDS: dict[str, Deed] = {"expire_session": expire_by_clock}
