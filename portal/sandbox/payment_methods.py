"""Payment methods: made of test cards, attached to customers, detached for good."""

from __future__ import annotations

import time
from typing import Any

from portal.sandbox import cards, events, lists, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.errors import ApiError, missing_object, missing_parameter, unsupported
from portal.sandbox.fields import contact, copy_fields
from portal.sandbox.store import Object, new_id

SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
    "attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod "
    "multiple times, you must attach it to a Customer first."
)
_LIFETIME_YEARS = 3  # of a card whose expiry nobody typed


def create(call: Call) -> Object:
    if call.params.get("type", "card") != "card":
        raise unsupported("payment methods other than cards", "type")
    if "card" not in call.params:
        raise missing_parameter("card" if "type" in call.params else "type")
    given = call.params["card"]
    if "token" in given:
        name = given["token"].removeprefix("tok_")
        card = cards.named(name) if given["token"].startswith("tok_") else None
        if card is None:
            raise missing_object("token", given["token"], "card[token]")
        method = make(call, card)
    else:
        method = _typed_in(call, given)
    _apply(call, method)
    return call.store.save(method)


def _typed_in(call: Call, given: dict[str, Any]) -> Object:
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_parameter(f"card[{name}]")
    card = cards.numbered(given["number"])
    return make(call, card, given["exp_month"], given["exp_year"], "cvc" in given)


def make(
    call: Call,
    card: cards.Card,
    exp_month: int = 12,
    exp_year: int | None = None,
    has_cvc: bool = True,
) -> Object:
    """A new, unattached payment method of this card. Raises CardError if the date has passed."""
    if exp_year is None:
        exp_year = time.gmtime(call.now).tm_year + _LIFETIME_YEARS
    exp_year = cards.full_year(exp_month, exp_year, call.now)
    method = rules.blank(
        "payment_method",
        id=new_id("pm_1"),
        object="payment_method",
        allow_redisplay="unspecified",
        billing_details=contact({}),
        card=_shown(card, exp_month, exp_year, has_cvc),
        created=call.now,
        livemode=False,
        metadata={},
        type="card",
        _number=card.number,
    )
    return call.store.insert(method)


def _shown(card: cards.Card, exp_month: int, exp_year: int, has_cvc: bool) -> Object:
    cvc_check = "unchecked" if has_cvc else None
    return rules.blank(
        "payment_method.card",
        brand=card.brand,
        checks=rules.blank("payment_method.card.checks", cvc_check=cvc_check),
        country="US",
        display_brand=card.brand,
        exp_month=exp_month,
        exp_year=exp_year,
        fingerprint=card.fingerprint,
        funding=card.funding,
        last4=card.last4,
        networks={"available": [card.brand], "preferred": None},
        regulated_status="unregulated",
        three_d_secure_usage={"supported": True},
    )


def card_of(method: Object) -> cards.Card:
    return cards.numbered(method["_number"])


def get(call: Call, identifier: str, param: str = "payment_method") -> Object:
    """A payment method by id; a `pm_card_...` makes a new one of that test card."""
    card = cards.named(identifier.removeprefix("pm_card_"))
    if identifier.startswith("pm_card_") and card is not None:
        return make(call, card)
    return call.get("payment_method", identifier, param)


def attach_to(call: Call, identifier: str, customer: str, param: str = "payment_method") -> Object:
    """Save a card for a customer. Raises CardError for cards that refuse to be saved."""
    method = get(call, identifier, param)
    if method["customer"] == customer:
        return method
    if method["customer"] is not None:
        raise ApiError("The payment method you provided has already been attached to a customer.")
    if method.get("_spent"):
        raise ApiError(SPENT)
    card = card_of(method)
    if card.refusal is not None and not card.saves:
        raise card.refusal.error()
    return keep(call, method, customer)


def keep(call: Call, method: Object, customer: str) -> Object:
    """Make the customer the owner and tell of it."""
    method["customer"] = customer
    if method["card"]["checks"]["cvc_check"] == "unchecked":
        method["card"]["checks"]["cvc_check"] = "pass"
    events.emit(call, "payment_method.attached", call.store.save(method))
    return method


def release(call: Call, method: Object) -> Object:
    """Take a card from its customer; it can never be used again."""
    method.update(customer=None, _spent=True)
    return call.store.save(method)


def attach(call: Call, payment_method: str) -> Object:
    if "customer" not in call.params:
        raise missing_parameter("customer")
    customer = call.get("customer", call.params["customer"], "customer")
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer")
    return attach_to(call, payment_method, customer["id"], "id")


def detach(call: Call, payment_method: str) -> Object:
    method = call.get("payment_method", payment_method)
    owner = method["customer"]
    if owner is None:
        raise ApiError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
            param="payment_method",
        )
    release(call, method)
    customer = call.get("customer", owner)
    settings = customer["invoice_settings"]
    if settings["default_payment_method"] == payment_method:
        customer["invoice_settings"] = {**settings, "default_payment_method": None}
        call.store.save(customer)
        previous = {"invoice_settings": {"default_payment_method": payment_method}}
        events.emit(call, "customer.updated", customer, previous)
    events.emit(call, "payment_method.detached", method, {"customer": owner})
    return method


def update(call: Call, payment_method: str) -> Object:
    method = call.get("payment_method", payment_method)
    if method["customer"] is None:
        raise ApiError("You must save this PaymentMethod to a customer before you can update it.")
    before = {**method}
    expiry = call.params.get("card", {})
    method["card"] = {**method["card"], **{k: expiry[k] for k in expiry if k.startswith("exp_")}}
    _apply(call, method)
    events.emit_update(call, "payment_method.updated", before, call.store.save(method))
    return method


def _apply(call: Call, method: Object) -> None:
    copy_fields(method, call.params, ("metadata", "allow_redisplay"))
    if "billing_details" in call.params:
        method["billing_details"] = contact(call.params["billing_details"])


def list_methods(call: Call) -> Object:
    params = call.params
    return lists.page(
        call,
        "payment_method",
        "/v1/payment_methods",
        customer=params.get("customer"),
        type=params.get("type"),
    )


def retrieve(call: Call, payment_method: str) -> Object:
    return call.get("payment_method", payment_method)


_OWN = "/v1/payment_methods/{payment_method}"
ROUTES: dict[str, Route] = {
    "POST /v1/payment_methods": route(create, "type card billing_details metadata allow_redisplay"),
    "GET /v1/payment_methods": route(list_methods, lists.PAGING + "customer type"),
    f"GET {_OWN}": route(retrieve),
    f"POST {_OWN}": route(update, "card billing_details metadata allow_redisplay"),
    f"POST {_OWN}/attach": route(attach, "customer"),
    f"POST {_OWN}/detach": route(detach),
}
