"""The bank's page, where the customer confirms a payment or fails to."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.sandbox import charging
from portal.sandbox.calls import Call
from portal.sandbox.currencies import spoken
from portal.sandbox.server import Server
from portal.sandbox.store import Object, Store


def create_pages(store: Store, server: Server) -> Blueprint:
    pages = Blueprint("three_d_secure", __name__)

    def find(identifier: str) -> tuple[Object, str]:
        """The intent, and the last digits of the card it waits for."""
        with store.transaction():
            intent = store.find("payment_intent", identifier)
            method = intent and store.find("payment_method", str(intent["payment_method"]))
        if intent is None:
            abort(404)
        return intent, method["card"]["last4"] if method else ""

    @pages.get("/3ds/<identifier>")
    def ask(identifier: str) -> ResponseReturnValue:
        intent, last4 = find(identifier)
        return render_template(
            "sandbox/three_d_secure.html",
            amount=spoken(intent["amount"], intent["currency"]),
            last4=last4,
            back=way_back(intent),
            waiting=intent["status"] == "requires_action",
        )

    @pages.post("/3ds/<identifier>")
    def answer(identifier: str) -> ResponseReturnValue:
        passed = request.form.get("result") == "complete"

        def work(call: Call) -> None:
            intent = call.get("payment_intent", identifier)
            if intent["status"] == "requires_action":  # not when the button was pressed twice
                charging.resume(call, intent, passed)

        find(identifier)
        server.act(request.host_url.rstrip("/"), work)
        intent, _ = find(identifier)
        return redirect(way_back(intent) or request.path, 303)

    return pages


def way_back(intent: Object) -> str | None:
    """The return_url with what Stripe appends to it; None if the payment gave none."""
    given = intent.get("_return_url")
    if given is None:
        return None
    url = urlsplit(given)
    query = [
        *parse_qsl(url.query, keep_blank_values=True),
        ("payment_intent", intent["id"]),
        ("payment_intent_client_secret", intent["client_secret"]),
        ("redirect_status", "succeeded" if intent["status"] == "succeeded" else "failed"),
    ]
    return urlunsplit(url._replace(query=urlencode(query)))
