"""Stripe's news of what happened: events that are signed, and events that are fetched."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from portal.domain.errors import PaymentsUnavailable, PortalError

EVENT_TYPES = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
    "setup_intent.succeeded",
    "setup_intent.setup_failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payment_method.automatically_updated",
    "customer.deleted",
)
"""What an endpoint subscribes to. Source: reference/stripe.md §4.7."""
MOST_TYPES = 20  # that Stripe takes in one question
TOLERANCE_S = 300  # Source: reference/stripe.md §4.7


class BadSignature(PortalError):
    """The delivery is not from Stripe, is too old, or we have no secret to tell."""


class BadEvent(PortalError):
    """Signed by Stripe, but not an event with its object: the endpoint is set up wrongly."""


@dataclass(frozen=True, slots=True)
class StripeNews:
    """One event. A hint only: read the object's present state before acting on it.

    object_id: empty for the few objects that have none. labels: the object's metadata.
    ignored: it tells of another account that is connected to ours, so store it, answer 200 and
    do nothing. payload: the whole event.
    """

    id: str
    type: str
    created: datetime
    livemode: bool
    object_id: str
    object_type: str
    labels: dict[str, str]
    ignored: bool
    payload: dict[str, Any]


def verified_event(
    payload: bytes, signature: str | None, secrets: Sequence[str], tolerance_s: int = TOLERANCE_S
) -> StripeNews:
    """The event in a delivery that carries the signature of one of `secrets`.

    secrets: two while one is being replaced; a blank one matches nothing.
    Raises BadSignature, BadEvent for a thin event or another body, ValueError for a tolerance
    that would let any age pass.
    """
    if tolerance_s <= 0:
        raise ValueError("the tolerance must be positive")
    if not any(_signed(payload, signature, secret, tolerance_s) for secret in secrets):
        raise BadSignature("no known secret made this signature, or it is too old")
    try:
        return _news(json.loads(payload))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadEvent("the body is not an event with its object") from error


def recent_events(
    client: stripe.StripeClient, since: datetime, types: Sequence[str] = EVENT_TYPES
) -> Iterator[StripeNews]:
    """Events created at `since` or later, newest first; Stripe keeps them for 30 days.

    Raises PaymentsUnavailable, while it is read too.
    """
    asked = [
        _listed(client, since, types[first : first + MOST_TYPES])
        for first in range(0, len(types), MOST_TYPES)
    ]
    try:
        yield from heapq.merge(*asked, key=lambda news: news.created, reverse=True)
    except stripe.StripeError as error:
        raise PaymentsUnavailable(f"{type(error).__name__} {error.http_status or ''}") from error


def _listed(
    client: stripe.StripeClient, since: datetime, types: Sequence[str]
) -> Iterator[StripeNews]:
    page = client.v1.events.list(
        {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100}
    )
    for event in page.auto_paging_iter():
        yield _news(event.to_dict(for_json=True))


def _signed(payload: bytes, signature: str | None, secret: str, tolerance_s: int) -> bool:
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, tolerance_s)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False  # ValueError: not UTF-8; TypeError: a signature that is not ASCII
    return True


def _news(event: dict[str, Any]) -> StripeNews:
    """Raises KeyError, TypeError, ValueError or AttributeError for anything but a v1 event."""
    if event["object"] != "event":
        raise ValueError(f"a {event['object']} carries no object")
    thing = event["data"]["object"]
    return StripeNews(
        id=event["id"],
        type=event["type"],
        created=datetime.fromtimestamp(event["created"], UTC),
        livemode=event["livemode"],
        object_id=thing.get("id", ""),
        object_type=thing["object"],
        labels=dict(thing.get("metadata") or {}),
        ignored=bool(event.get("account")),
        payload=event,
    )
