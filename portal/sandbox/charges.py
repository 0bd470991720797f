"""Charges: made by intents, only read over the API."""

from __future__ import annotations

from portal.sandbox import balance, events, lists, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.cards import Decline
from portal.sandbox.store import Object, new_id

_COPIED = (
    "amount currency customer description metadata receipt_email shipping "
    "statement_descriptor_suffix transfer_group"
)
_PREFIX = "SANDBOX"  # the account's own statement descriptor


def succeed(call: Call, intent: Object, method: Object, authenticated: bool) -> Object:
    """A charge that went through; its money is booked a moment later, as on Stripe."""
    charge = _new(call, intent, method, authenticated)
    charge["outcome"] = rules.blank(
        "charge.outcome",
        network_status="approved_by_network",
        risk_level="normal",
        seller_message="Payment complete.",
        type="authorized",
    )
    charge.update(status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
    events.emit(call, "charge.succeeded", call.store.insert(charge))
    charge["balance_transaction"] = balance.book_charge(call, charge)["id"]
    return call.store.save(charge)


def tell_booked(call: Call, charge: Object) -> None:
    """Stripe captures asynchronously: the balance transaction comes with a later event."""
    events.emit(call, "charge.updated", charge, {"balance_transaction": None})


def fail(call: Call, intent: Object, method: Object, decline: Decline) -> Object:
    charge = _new(call, intent, method, authenticated=False)
    charge.update(
        status="failed",
        paid=False,
        captured=False,
        amount_captured=0,
        failure_code=decline.code,
        failure_message=decline.message,
    )
    charge["outcome"] = rules.blank(
        "charge.outcome",
        advice_code=decline.advice_code,
        network_status="not_sent_to_network" if decline.blocked else "declined_by_network",
        reason="highest_risk_level" if decline.blocked else decline.decline_code or decline.code,
        risk_level="highest" if decline.blocked else "normal",
        seller_message="Stripe blocked this payment as too risky."
        if decline.blocked
        else "The bank returned a decline.",
        type="blocked" if decline.blocked else "issuer_declined",
    )
    events.emit(call, "charge.failed", call.store.insert(charge))
    return charge


def _new(call: Call, intent: Object, method: Object, authenticated: bool) -> Object:
    suffix = intent["statement_descriptor_suffix"]
    return rules.blank(
        "charge",
        id=new_id("ch_3", 23),
        object="charge",
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor=f"{_PREFIX}* {suffix}" if suffix else _PREFIX,
        created=call.now,
        disputed=False,
        fraud_details={},
        livemode=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={
            "type": "card",
            "card": _card_details(intent, method["card"], authenticated),
        },
        refunded=False,
        **{name: intent[name] for name in _COPIED.split()},
    )


def _card_details(intent: Object, card: Object, authenticated: bool) -> Object:
    same = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    secure = None
    if authenticated:
        secure = rules.blank(
            "charge.payment_method_details.card.three_d_secure",
            authentication_flow="challenge",
            electronic_commerce_indicator="05",
            result="authenticated",
            version="2.2.0",
        )
    return rules.blank(
        "charge.payment_method_details.card",
        **{name: card[name] for name in same},
        amount_authorized=intent["amount"],
        checks=card["checks"],
        network=card["brand"],
        regulated_status=card["regulated_status"],
        three_d_secure=secure,
    )


def retrieve(call: Call, charge: str) -> Object:
    return call.get("charge", charge)


def list_charges(call: Call) -> Object:
    names = ("customer", "payment_intent", "transfer_group")
    equal = {name: call.params.get(name) for name in names}
    return lists.page(call, "charge", "/v1/charges", **equal)


ROUTES: dict[str, Route] = {
    "GET /v1/charges": route(
        list_charges, lists.PAGING + "created customer payment_intent transfer_group"
    ),
    "GET /v1/charges/{charge}": route(retrieve),
}
