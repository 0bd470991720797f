"""Stripe's error answers, as exceptions that know their HTTP status and body.

ApiError
  CardError     402; what was done before it is kept
"""

from __future__ import annotations

from typing import Any

STORED_STATUSES = (402, 500)  # replayed for their Idempotency-Key, as successes are


class ApiError(Exception):
    """An answer other than 200. `details` become keys of the `error` object."""

    def __init__(
        self,
        message: str,
        status: int = 400,
        kind: str = "invalid_request_error",
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {
                **{k: v for k, v in details.items() if v is not None},
                "message": message,
                "type": kind,
            }
        }


class CardError(ApiError):
    """The bank, or the card itself, refused; Stripe keeps the failed attempt."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, 402, "card_error", **details)


def unknown_url(method: str, path: str) -> ApiError:
    return ApiError(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove "
        "the trailing slash. If you are trying to retrieve an object, make sure you passed a "
        "valid (non-empty) identifier in your code.",
        404,
    )


def missing_object(kind: str, given: str, param: str = "id") -> ApiError:
    """No such object: 404 when the address names it, 400 when a parameter does."""
    words = {"payment_method": "PaymentMethod", "checkout.session": "checkout.session"}
    name = words.get(kind, kind.replace("_", " ") if kind == "balance_transaction" else kind)
    status = 404 if param == "id" else 400
    return ApiError(f"No such {name}: '{given}'", status, code="resource_missing", param=param)


def missing_parameter(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unsupported(what: str, param: str | None = None) -> ApiError:
    """Valid at Stripe, but not modelled here: said aloud rather than ignored."""
    return ApiError(f"This Stripe sandbox does not model {what}.", param=param)


def server_error() -> ApiError:
    return ApiError(
        "An error occurred while processing your request (injected by a fault).", 500, "api_error"
    )


def rate_limited() -> ApiError:
    return ApiError(
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        429,
        code="rate_limit",
    )
