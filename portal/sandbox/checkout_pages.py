"""The hosted Checkout page: shows what is bought, takes a card, sends the customer back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from portal.sandbox import cards, checkout, payment_methods, typed_cards
from portal.sandbox.calls import Call
from portal.sandbox.currencies import shown
from portal.sandbox.pages import render
from portal.sandbox.server import Server
from portal.sandbox.store import Object, Store
from portal.sandbox.typed_cards import Typed

_OFFERED = {
    group: {
        name: (words, card.last4) for name, words in names.items() if (card := cards.named(name))
    }
    for group, names in typed_cards.OFFERED.items()
}


@dataclass(slots=True)
class Visit:
    """A session as one visitor meets it, and what became of the card just typed."""

    session: Object
    intent: Object | None
    fields: dict[str, str]
    problems: dict[str, str]

    @property
    def refusal(self) -> str | None:
        """Why the last card was refused, in words for the customer."""
        if self.problems or self.intent is None:
            return None
        setup = self.intent["object"] == "setup_intent"
        error = self.intent["last_setup_error" if setup else "last_payment_error"]
        waits = self.intent["status"] == "requires_payment_method"
        return str(error["message"]) if error and waits else None


def create_checkout(store: Store, server: Server) -> Blueprint:
    pages = Blueprint("checkout", __name__, url_prefix="/c/pay")

    @pages.get("/<identifier>")
    def look(identifier: str) -> ResponseReturnValue:
        server.tick()
        return page(visit(store, identifier, typed_cards.filled(request.args.get("card", ""))))

    @pages.post("/<identifier>")
    def pay(identifier: str) -> ResponseReturnValue:
        typed = typed_cards.read(request.form, server.now())
        visit(store, identifier, {})  # 404 before anything is done
        if not typed.problems:
            base = request.host_url.rstrip("/")
            server.act(base, lambda call: use(call, identifier, typed))
        return lead_on(visit(store, identifier, typed.shown, typed.problems))

    return pages


def visit(
    store: Store, identifier: str, fields: dict[str, str], problems: dict[str, str] | None = None
) -> Visit:
    with store.transaction():
        session = store.find(checkout.KIND, identifier)
        if session is None:
            abort(404)
        kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
        intent = store.find(kind, session[kind]) if session[kind] else None
    return Visit(session, intent, fields, problems or {})


def lead_on(found: Visit) -> ResponseReturnValue:
    """To the shop, to the bank, or back to the page with what went wrong."""
    if found.session["status"] == "complete":
        return redirect(checkout.success_url(found.session), 303)
    if found.intent and found.intent["next_action"] and not found.problems:
        return redirect(f"/3ds/{found.intent['id']}", 303)
    return page(found, 200 if found.session["status"] == "expired" else 422)


def use(call: Call, identifier: str, typed: Typed) -> None:
    """Try the typed card on a session that is still open. Raises CardError if it is refused."""
    session = call.get(checkout.KIND, identifier)
    if session["status"] != "open" or typed.card is None:
        return
    method = payment_methods.make(call, typed.card, typed.month, typed.year)
    details = session["customer_details"] or {}
    method["billing_details"]["email"] = details.get("email")
    checkout.submit(call, session, method)


def page(found: Visit, status: int = 200) -> Response:
    session = found.session
    success, cancel = checkout.success_url(session), session["cancel_url"]
    if session["status"] != "open":
        return render("checkout_closed.html", [], status, session=session, on=success, back=cancel)
    amount = session["amount_total"]
    return render(
        "checkout.html",
        [success],
        status,
        amount=shown(amount, session["currency"]) if amount is not None else None,
        lines=[
            (line["description"], line["quantity"], shown(line["amount_total"], line["currency"]))
            for line in session.get("_line_items", ())
        ],
        email=(session["customer_details"] or {}).get("email"),
        back=cancel,
        fields=found.fields,
        problems=found.problems,
        refusal=found.refusal,
        offered=_OFFERED,
    )
