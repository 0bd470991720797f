"""What Stripe refuses about a Checkout Session before anybody sees its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from portal.sandbox.errors import ApiError, missing_parameter, unsupported
from portal.sandbox.intent_rules import check_descriptor

SHORTEST, LONGEST = 30 * 60, 24 * 3600  # seconds a session may stay open
_SLACK = 60  # clocks differ, and requests take time
_OTHER_MODE = {
    "setup": ("line_items", "payment_intent_data", "submit_type"),
    "payment": ("setup_intent_data",),
}
_PAYMENT_WORDS = (
    "description metadata receipt_email setup_future_usage shipping statement_descriptor "
    "statement_descriptor_suffix transfer_group"
)
_PAYMENT_DATA = frozenset(_PAYMENT_WORDS.split())
_SETUP_DATA = frozenset({"description", "metadata"})


def check(params: dict[str, Any], now: int) -> None:
    """Raises ApiError 400."""
    mode = params.get("mode")
    if mode is None:
        raise missing_parameter("mode")
    if mode not in _OTHER_MODE:
        raise unsupported(f"Checkout in {mode} mode", "mode")
    for name in _OTHER_MODE[mode]:
        if name in params:
            raise ApiError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise unsupported("pages other than the hosted one", "ui_mode")
    if mode == "payment" and not params.get("line_items"):
        raise missing_parameter("line_items")
    types = params.get("allowed_payment_method_types")
    if types is not None and "card" not in types:
        raise unsupported("payment methods other than cards", "allowed_payment_method_types")
    if mode == "setup" and "currency" not in params and types is None:
        raise missing_parameter("currency")
    if "customer" in params and "customer_email" in params:
        raise ApiError(
            "You may only specify one of these parameters: customer, customer_email.",
            code="parameters_exclusive",
            param="customer",
        )
    _check_addresses(params)
    _check_expiry(params.get("expires_at"), now)
    _check_parts(params)


def _check_addresses(params: dict[str, Any]) -> None:
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        given = params.get(name)
        if given is None:
            continue
        url = urlsplit(given)
        if url.scheme not in ("http", "https") or not url.netloc:
            raise ApiError("Not a valid URL", code="url_invalid", param=name)


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + SHORTEST - _SLACK:
        words = "at least 30 minutes from Checkout Session creation"
    elif expires_at > now + LONGEST + _SLACK:
        words = "less than 24 hours from Checkout Session creation"
    else:
        return
    raise ApiError(f"The `expires_at` timestamp must be {words}.", param="expires_at")


def _check_parts(params: dict[str, Any]) -> None:
    payment = params.get("payment_intent_data", {})
    check_descriptor(payment)
    modelled = {"payment_intent_data": _PAYMENT_DATA, "setup_intent_data": _SETUP_DATA}
    for name, known in modelled.items():
        for inner in sorted(set(params.get(name, {})) - known):
            raise unsupported(f"the parameter `{name}[{inner}]`", f"{name}[{inner}]")


def check_total(params: dict[str, Any], currency: str) -> None:
    """The currency of the session must be that of its lines."""
    wanted = params.get("currency", currency).lower()
    if wanted != currency:
        raise ApiError(
            f"The currency of this Checkout Session ({wanted}) must match that of its prices "
            f"({currency}).",
            param="currency",
        )
