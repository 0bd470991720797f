"""One purchase of an add-on on a subscription, and what the clock makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class InstanceStatus(StrEnum):
    """What was paid for; what is in force now is read by the clock, never from here."""

    PENDING_PAYMENT = "pending_payment"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    ENDED = "ended"
    FAILED = "failed"


class SubscriptionStatus(StrEnum):
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """Where an instance stands at an instant."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    CANCELLING = "cancelling"
    ENDED = "ended"
    FAILED = "failed"


HELD_PHASES = frozenset({Phase.SCHEDULED, Phase.ACTIVE, Phase.CANCELLING})


@dataclass(frozen=True, slots=True)
class Span:
    """When an instance is in force: [starts_at, stop_at)."""

    starts_at: datetime
    ends_at: datetime | None
    cancel_at: datetime | None

    @property
    def stops_at(self) -> datetime | None:
        """The earlier of the two ends, None when open."""
        ends = [end for end in (self.ends_at, self.cancel_at) if end is not None]
        return min(ends, default=None)

    def covers(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.stops_at is None or at < self.stops_at)


def phase(status: InstanceStatus, span: Span, at: datetime) -> Phase:
    """Where an instance stands at `at`. Source: product.md §6 (instance)."""
    if status is InstanceStatus.PENDING_PAYMENT:
        return Phase.PENDING
    if status is InstanceStatus.FAILED:
        return Phase.FAILED
    stops_at = span.stops_at
    if status is InstanceStatus.ENDED or (stops_at is not None and stops_at <= at):
        return Phase.ENDED
    if at < span.starts_at:
        return Phase.SCHEDULED
    return Phase.ACTIVE if span.cancel_at is None else Phase.CANCELLING
