"""Setup intents: save a card without charging it."""

from __future__ import annotations

from typing import Any

from portal.sandbox import events, lists, payment_methods, rules, setting_up
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.customers import living
from portal.sandbox.errors import ApiError, missing_parameter
from portal.sandbox.fields import copy_fields
from portal.sandbox.intent_rules import check_owner, check_return_url
from portal.sandbox.store import Object, new_id, public

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_BY_CHECKOUT = (
    "You cannot {} this SetupIntent because it was created by a Checkout Session. Expire the "
    "Checkout Session instead."
)


def create(call: Call) -> Object:
    params = call.params
    if "allowed_payment_method_types" in params and "automatic_payment_methods" in params:
        raise ApiError(
            "You may only specify one of these parameters: allowed_payment_method_types, "
            "automatic_payment_methods.",
            code="parameters_exclusive",
            param="allowed_payment_method_types",
        )
    if "return_url" in params and not params.get("confirm"):
        words = "The parameter `return_url` can only be used when `confirm` is set to true."
        raise ApiError(words, param="return_url")
    if params.get("customer"):
        living(call, params["customer"], "customer")
    intent = _new(call)
    _take_method(call, intent)
    events.emit(call, "setup_intent.created", call.store.insert(intent))
    return _confirm(call, intent) if params.get("confirm") else intent


def _new(call: Call) -> Object:
    identifier = new_id("seti_1")
    params = call.params
    allowed = params.get("allowed_payment_method_types")
    old = allowed or not call.pinned  # versions before 2023-08-16 take cards only
    automatic = params.get("automatic_payment_methods", None if old else {"enabled": True})
    card = rules.blank(
        "setup_intent.payment_method_options.card", request_three_d_secure="automatic"
    )
    return rules.blank(
        "setup_intent",
        id=identifier,
        object="setup_intent",
        allowed_payment_method_types=allowed,
        automatic_payment_methods=automatic and {"allow_redirects": "always", **automatic},
        client_secret=f"{identifier}_secret_{new_id('', 25)}",
        created=call.now,
        customer=params.get("customer"),
        description=params.get("description"),
        livemode=False,
        metadata=params.get("metadata") or {},
        payment_method_options={"card": card},
        payment_method_types=allowed or ["card"],
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
    )


def _take_method(call: Call, intent: Object) -> None:
    given = call.params.get("payment_method")
    if given:
        method = payment_methods.get(call, given)
        check_owner(method, intent["customer"])
        intent.update(payment_method=method["id"], status="requires_confirmation")


def _confirm(call: Call, intent: Object) -> Object:
    if intent["payment_method"] is None:
        raise missing_parameter("payment_method")
    if "return_url" in call.params:
        intent["_return_url"] = call.params["return_url"]
    check_return_url(intent, "SetupIntent")
    method = call.get("payment_method", intent["payment_method"], "payment_method")
    return setting_up.attempt(call, intent, method)


def confirm(call: Call, intent: str) -> Object:
    found = call.get("setup_intent", intent)
    _check_status(found, "confirm")
    _take_method(call, found)
    return _confirm(call, found)


def update(call: Call, intent: str) -> Object:
    found = call.get("setup_intent", intent)
    if set(call.params) - {"metadata", "description", "expand"}:
        _check_status(found, "update")
    if call.params.get("customer"):
        found["customer"] = living(call, call.params["customer"], "customer")["id"]
    copy_fields(found, call.params, ("metadata", "description"))
    _take_method(call, found)
    return call.store.save(found)


def cancel(call: Call, intent: str) -> Object:
    found = call.get("setup_intent", intent)
    _check_status(found, "cancel")
    return end(call, found, call.params.get("cancellation_reason"))


def end(call: Call, intent: Object, reason: str | None) -> Object:
    intent.update(status="canceled", cancellation_reason=reason, next_action=None)
    events.emit(call, "setup_intent.canceled", call.store.save(intent))
    return intent


def _check_status(intent: Object, verb: str) -> None:
    """Raises ApiError 400 for a finished intent, or one that belongs to a Checkout."""
    message = None
    if intent["status"] not in _CONFIRMABLE:
        message = (
            f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}. "
            f"Only a SetupIntent with one of the following statuses will do: "
            f"{', '.join(_CONFIRMABLE)}."
        )
    elif "_session" in intent:
        message = _BY_CHECKOUT.format(verb)
    if message:
        code = "setup_intent_unexpected_state"
        raise ApiError(message, code=code, setup_intent=public(intent))


def retrieve(call: Call, intent: str) -> Object:
    return call.get("setup_intent", intent)


def list_intents(call: Call) -> Object:
    names = ("customer", "payment_method")
    equal: dict[str, Any] = {name: call.params.get(name) for name in names}
    return lists.page(call, "setup_intent", "/v1/setup_intents", **equal)


_OWN = "/v1/setup_intents/{intent}"
ROUTES: dict[str, Route] = {
    "POST /v1/setup_intents": route(
        create,
        "customer payment_method confirm return_url usage description metadata "
        "allowed_payment_method_types automatic_payment_methods",
    ),
    "GET /v1/setup_intents": route(list_intents, lists.PAGING + "created customer payment_method"),
    f"GET {_OWN}": route(retrieve, "client_secret"),
    f"POST {_OWN}": route(update, "customer payment_method description metadata"),
    f"POST {_OWN}/confirm": route(confirm, "payment_method return_url client_secret"),
    f"POST {_OWN}/cancel": route(cancel, "cancellation_reason"),
}
