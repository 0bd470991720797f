"""What Stripe refuses about a payment intent before any card is touched."""

from __future__ import annotations

import re
from typing import Any

from portal.sandbox.errors import ApiError, unsupported
from portal.sandbox.payment_methods import SPENT
from portal.sandbox.store import Object, public

_ONLY_WITH_CONFIRM = ("off_session", "return_url", "error_on_requires_action")
_LONGEST_SUFFIX = 22
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*_CONFIRMABLE, "processing", "requires_capture")


def check_choices(params: dict[str, Any]) -> None:
    """Parameters that do not go together, or that this sandbox does not model."""
    if params.get("capture_method") == "manual":
        raise unsupported("manual capture", "capture_method")
    if params.get("confirmation_method") == "manual":
        raise unsupported("manual confirmation", "confirmation_method")
    if "allowed_payment_method_types" in params and "automatic_payment_methods" in params:
        raise ApiError(
            "You may only specify one of these parameters: allowed_payment_method_types, "
            "automatic_payment_methods.",
            code="parameters_exclusive",
            param="allowed_payment_method_types",
        )
    if not params.get("confirm"):
        for name in _ONLY_WITH_CONFIRM:
            if name in params:
                raise ApiError(
                    f"The parameter `{name}` can only be used when `confirm` is set to true.",
                    param=name,
                )
    check_descriptor(params)


def check_descriptor(params: dict[str, Any]) -> None:
    if params.get("statement_descriptor"):
        raise ApiError(
            "The `statement_descriptor` parameter is not supported for the `card` payment method "
            "type. Use `statement_descriptor_suffix` instead.",
            code="payment_intent_invalid_parameter",
            param="statement_descriptor",
        )
    suffix = params.get("statement_descriptor_suffix")
    if not suffix:
        return
    wrong = re.search(r"""[<>\\'"*]""", suffix) or not re.search("[A-Za-z]", suffix)
    if wrong or len(suffix) > _LONGEST_SUFFIX:
        raise ApiError(
            f"The statement descriptor suffix must have at least one letter, at most "
            f"{_LONGEST_SUFFIX} characters, and none of < > \\ ' \" *.",
            param="statement_descriptor_suffix",
        )


def check_confirmable(intent: Object) -> None:
    _check_free(intent, "confirm")
    status = intent["status"]
    if status == "succeeded":
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    if status not in _CONFIRMABLE:
        raise _unexpected(
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a "
            "PaymentIntent with one of the following statuses may be confirmed: "
            f"{', '.join(_CONFIRMABLE)}.",
        )
    if intent["payment_method"] is None:
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )


def check_return_url(intent: Object, kind: str = "PaymentIntent") -> None:
    """Methods that may redirect need a way back."""
    automatic = intent["automatic_payment_methods"]
    redirects = bool(automatic) and automatic["allow_redirects"] == "always"
    if redirects and not intent.get("_return_url"):
        raise ApiError(
            f"This {kind} is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents "
            "and Payment Intents.",
            param="return_url",
        )


def _check_free(intent: Object, verb: str) -> None:
    """What a Checkout Session made is confirmed on its page and ends with it."""
    if "_session" in intent and intent["status"] not in ("succeeded", "canceled"):
        raise _unexpected(
            intent,
            f"You cannot {verb} this PaymentIntent because it was created by a Checkout Session. "
            "Expire the Checkout Session instead.",
        )


def check_cancelable(intent: Object) -> None:
    _check_free(intent, "cancel")
    if intent["status"] not in CANCELABLE:
        raise _unexpected(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. "
            "Only a PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(CANCELABLE)}.",
        )


def check_changeable(intent: Object, params: dict[str, Any], always: frozenset[str]) -> None:
    """A finished intent takes only what does not touch the payment."""
    fixed = sorted(set(params) - always - {"expand"})
    if fixed and intent["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected(
            intent,
            f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of "
            f"{intent['status']}. You may only update the {fixed[0]} of a PaymentIntent with one "
            f"of the following statuses: {', '.join(_CONFIRMABLE)}.",
        )


def check_owner(method: Object, customer: str | None) -> None:
    """A card is charged for its owner, or once without one."""
    if method.get("_spent"):
        raise ApiError(SPENT, code="payment_intent_invalid_parameter", param="payment_method")
    owner = method["customer"]
    if owner is None or owner == customer:
        return
    if customer is None:
        raise ApiError(
            f"The payment method {method['id']} supplied belongs to the Customer {owner}. Please "
            "include the Customer in the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    raise ApiError(
        f"The customer does not have a payment method with the ID {method['id']}. The payment "
        "method must be attached to the customer.",
        code="resource_missing",
        param="payment_method",
    )


def _unexpected(intent: Object, message: str) -> ApiError:
    return ApiError(message, code="payment_intent_unexpected_state", payment_intent=public(intent))
