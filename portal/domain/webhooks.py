"""Messages to the host: which events it is told of, how they are signed, when they are retried."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from portal.domain.events import EventName

ANNOUNCED = frozenset(
    {
        EventName.PURCHASE_SETTLED,
        EventName.PURCHASE_DECLINED,
        EventName.PURCHASE_ENDED,
        EventName.INSTANCE_SCHEDULED,
        EventName.INSTANCE_WITHDRAWN,
        EventName.INSTANCE_STARTED,
        EventName.INSTANCE_CANCELLED,
        EventName.QUANTITY_RAISED,
        EventName.QUANTITY_AGREED,
        EventName.INSTANCE_KEPT,
        EventName.INSTANCE_ENDED,
        EventName.SUBSCRIPTION_STARTED,
        EventName.SUBSCRIPTION_RENEWED,
        EventName.SUBSCRIPTION_PAST_DUE,
        EventName.SUBSCRIPTION_SUSPENDED,
        EventName.SUBSCRIPTION_RESTORED,
        EventName.SUBSCRIPTION_CANCELLED,
        EventName.SUBSCRIPTION_KEPT,
        EventName.SUBSCRIPTION_ENDED,
        EventName.PLAN_CHANGED,
        EventName.QUOTA_REACHED,
        EventName.INVOICE_ISSUED,
        EventName.INVOICE_PAID,
        EventName.INVOICE_PAYMENT_FAILED,
        EventName.REFUND_ANSWERED,
    }
)
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""How long after each try the next is due: ten tries in three days. The first outlasts a try."""
MOST_TRIES = len(PAUSES) + 1
LONGEST_ANSWER = 1000
KEPT = timedelta(days=30)
LONGEST_OVERLAP = timedelta(days=7)
SIGNATURE = "Portal-Signature"


def type_of(event: EventName) -> str:
    """How the host names the event: `purchase.settled`."""
    return event.value.replace(":", ".")


TYPES = tuple(sorted(type_of(event) for event in ANNOUNCED))


def is_address(url: str) -> bool:
    """Whether messages can be sent there: by http or https, and with no password in it."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None
            and (parts.port is None or parts.port > 0)
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to one endpoint. generations: of the secrets that sign it, newest first."""

    environment_id: int
    endpoint_id: int
    url: str
    generations: tuple[int, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said: its status, and how its text begins."""

    status: int
    text: str

    @property
    def is_thanks(self) -> bool:
        return 200 <= self.status < 300


class NotDelivered(Exception):
    """No answer came; the text says why."""


class Courier(Protocol):
    def send(self, parcel: Parcel, at: datetime) -> Answer:
        """Sign and hand over. at: the real now. Raises NotDelivered."""


def secret_of(master: str, environment_id: int, endpoint_id: int, generation: int) -> str:
    """What signs the messages to an endpoint: made of the portal's own secret, and kept nowhere."""
    said = f"webhook-{environment_id}-{endpoint_id}-{generation}"
    return f"whsec_{hmac.new(master.encode(), said.encode(), hashlib.sha256).hexdigest()}"


def signature(secrets: tuple[str, ...], body: bytes, at: datetime) -> str:
    """The header's value, `t=<seconds>,v1=<hex>`, with a v1 for each secret: Stripe's scheme."""
    seconds = int(at.timestamp())
    signed = f"{seconds}.".encode() + body
    found = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
    return ",".join([f"t={seconds}", *(f"v1={each}" for each in found)])
