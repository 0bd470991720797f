"""Payment intents: create, change, confirm, cancel, list."""

from __future__ import annotations

from typing import Any

from portal.sandbox import charging, events, intent_rules, lists, payment_methods, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.currencies import check_amount
from portal.sandbox.customers import living, public_shipping
from portal.sandbox.fields import copy_fields
from portal.sandbox.store import Object, new_id

_HARMLESS = frozenset({"description", "metadata"})  # may change after the payment too
_PLAIN = (
    "description metadata receipt_email setup_future_usage statement_descriptor_suffix "
    "transfer_group"
)
_COMMON = _PLAIN + " shipping payment_method statement_descriptor "
_ON_CONFIRM = "off_session return_url error_on_requires_action "


def create(call: Call) -> Object:
    params = call.params
    currency = params["currency"].lower()
    check_amount(params["amount"], currency)
    intent_rules.check_choices(params)
    if params.get("customer"):
        living(call, params["customer"], "customer")
    intent = _new(call, currency)
    _apply(call, intent)
    events.emit(call, "payment_intent.created", call.store.insert(intent))
    return _confirm(call, intent) if params.get("confirm") else intent


def _new(call: Call, currency: str) -> Object:
    identifier = new_id("pi_3", 23)
    allowed = call.params.get("allowed_payment_method_types")
    old = allowed or not call.pinned  # versions before 2023-08-16 take cards only
    automatic = None if old else {"allow_redirects": "always", "enabled": True}
    automatic = call.params.get("automatic_payment_methods", automatic)
    if automatic:
        automatic = {"allow_redirects": "always", **automatic}
    return rules.blank(
        "payment_intent",
        id=identifier,
        object="payment_intent",
        allowed_payment_method_types=allowed,
        amount=call.params["amount"],
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        automatic_payment_methods=automatic,
        capture_method=call.params.get("capture_method", "automatic_async"),
        client_secret=f"{identifier}_secret_{new_id('', 25)}",
        confirmation_method="automatic",
        created=call.now,
        currency=currency,
        customer=call.params.get("customer"),
        livemode=False,
        metadata={},
        payment_method_options={
            "card": rules.blank(
                "payment_intent.payment_method_options.card", request_three_d_secure="automatic"
            )
        },
        payment_method_types=allowed or ["card"],
        status="requires_payment_method",
    )


def _apply(call: Call, intent: Object) -> None:
    copy_fields(intent, call.params, _PLAIN.split())
    if "shipping" in call.params:
        shipping = call.params["shipping"]
        intent["shipping"] = public_shipping(shipping) if shipping else None
    given = call.params.get("payment_method")
    if given:
        method = payment_methods.get(call, given)
        intent_rules.check_owner(method, intent["customer"])
        intent.update(payment_method=method["id"], status="requires_confirmation")


def _confirm(call: Call, intent: Object) -> Object:
    params = call.params
    intent_rules.check_confirmable(intent)
    if "return_url" in params:
        intent["_return_url"] = params["return_url"]
    intent_rules.check_return_url(intent)
    method = call.get("payment_method", intent["payment_method"], "payment_method")
    intent_rules.check_owner(method, intent["customer"])
    off_session = params.get("off_session", False) is not False
    refuse_action = bool(params.get("error_on_requires_action"))
    return charging.attempt(call, intent, method, off_session, refuse_action)


def confirm(call: Call, intent: str) -> Object:
    found = call.get("payment_intent", intent)
    if found["status"] not in ("succeeded", "canceled", "processing"):
        _apply(call, found)
    return _confirm(call, found)


def retrieve(call: Call, intent: str) -> Object:
    return call.get("payment_intent", intent)


def update(call: Call, intent: str) -> Object:
    found = call.get("payment_intent", intent)
    params = call.params
    intent_rules.check_changeable(found, params, _HARMLESS)
    intent_rules.check_descriptor(params)
    if params.get("customer"):
        living(call, params["customer"], "customer")
    found.update({k: params[k] for k in ("amount", "customer") if k in params})
    if "currency" in params:
        found["currency"] = params["currency"].lower()
    check_amount(found["amount"], found["currency"])
    _apply(call, found)
    return call.store.save(found)


def cancel(call: Call, intent: str) -> Object:
    found = call.get("payment_intent", intent)
    intent_rules.check_cancelable(found)
    return end(call, found, call.params.get("cancellation_reason"))


def end(call: Call, intent: Object, reason: str | None) -> Object:
    intent.update(
        status="canceled", canceled_at=call.now, cancellation_reason=reason, next_action=None
    )
    events.emit(call, "payment_intent.canceled", call.store.save(intent))
    return intent


def list_intents(call: Call) -> Object:
    customer: Any = call.params.get("customer")
    return lists.page(call, "payment_intent", "/v1/payment_intents", customer=customer)


_OWN = "/v1/payment_intents/{intent}"
ROUTES: dict[str, Route] = {
    "POST /v1/payment_intents": route(
        create,
        _COMMON
        + _ON_CONFIRM
        + "amount currency customer confirm capture_method confirmation_method "
        + "allowed_payment_method_types automatic_payment_methods",
    ),
    "GET /v1/payment_intents": route(list_intents, lists.PAGING + "created customer"),
    f"GET {_OWN}": route(retrieve, "client_secret"),
    f"POST {_OWN}": route(update, _COMMON + "amount currency customer"),
    f"POST {_OWN}/confirm": route(
        confirm,
        _ON_CONFIRM + "payment_method receipt_email setup_future_usage shipping client_secret",
    ),
    f"POST {_OWN}/cancel": route(cancel, "cancellation_reason"),
}
