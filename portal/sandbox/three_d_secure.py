"""The bank's page, where the customer confirms a payment or a new card, or fails to."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue

from portal.sandbox import charging, checkout, setting_up
from portal.sandbox.calls import Call
from portal.sandbox.currencies import shown
from portal.sandbox.pages import render
from portal.sandbox.server import Server
from portal.sandbox.store import Object, Store

_KINDS = {"pi": "payment_intent", "seti": "setup_intent"}  # by what the id begins with


def create_pages(store: Store, server: Server) -> Blueprint:
    pages = Blueprint("three_d_secure", __name__)

    def find(identifier: str) -> tuple[Object, str, str | None]:
        """The intent, the last digits of the card it waits for, and where its page leads."""
        with store.transaction():
            intent = store.find(kind_of(identifier), identifier)
            if intent is None:
                abort(404)
            method = store.find("payment_method", str(intent["payment_method"]))
            session = store.find(checkout.KIND, intent.get("_session", ""))
        done = session is not None and session["status"] == "complete"
        back = checkout.success_url(session) if session and done else way_back(intent)
        return intent, method["card"]["last4"] if method else "", back

    @pages.get("/3ds/<identifier>")
    def ask(identifier: str) -> ResponseReturnValue:
        server.tick()
        intent, last4, back = find(identifier)
        pays = "amount" in intent
        return render(
            "three_d_secure.html",
            [back, intent.get("_leads_to")],
            amount=shown(intent["amount"], intent["currency"]) if pays else None,
            last4=last4,
            back=back,
            waiting=intent["status"] == "requires_action",
        )

    @pages.post("/3ds/<identifier>")
    def answer(identifier: str) -> ResponseReturnValue:
        find(identifier)
        passed = request.form.get("step") == "ok"
        server.act(request.host_url.rstrip("/"), lambda call: settle(call, identifier, passed))
        return redirect(find(identifier)[2] or request.path, 303)

    return pages


def kind_of(identifier: str) -> str:
    return _KINDS.get(identifier.partition("_")[0], "")


def settle(call: Call, identifier: str, passed: bool) -> None:
    """Go on with what waited. Raises CardError if the card is refused after all."""
    intent = call.get(kind_of(identifier), identifier)
    if intent["status"] != "requires_action":  # the button was pressed twice
        return
    if intent["object"] == "payment_intent":
        charging.resume(call, intent, passed)
    else:
        setting_up.resume(call, intent, passed)
    checkout.finish(call, intent)


def way_back(intent: Object) -> str | None:
    """The return_url with what Stripe appends to it; None if the intent gave none."""
    given = intent.get("_return_url")
    if given is None:
        return None
    if "_session" in intent:  # Checkout's own page knows how it went
        return str(given)
    url = urlsplit(given)
    kind = intent["object"]
    query = [
        *parse_qsl(url.query, keep_blank_values=True),
        (kind, intent["id"]),
        (f"{kind}_client_secret", intent["client_secret"]),
        ("redirect_status", "succeeded" if intent["status"] == "succeeded" else "failed"),
    ]
    return urlunsplit(url._replace(query=urlencode(query)))
