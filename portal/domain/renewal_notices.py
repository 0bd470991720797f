"""What consumers are told of renewals ahead of them, where their law asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from portal.domain.money import Money
from portal.domain.periods import Anchor, BillingPeriod, Interval

TOLD_BEFORE = timedelta(days=30)
"""California asks for 15 to 45 days. Source: docs/legal-profiles.md."""
TOLD_AFTER = timedelta(days=30)
"""A yearly notice that could not be sent by then is left out."""
_YEAR = Interval(BillingPeriod.ANNUAL)


@dataclass(frozen=True, slots=True)
class Renewing:
    """What is charged again, tax included. instance_id: None for the plan."""

    name: str
    at: datetime
    amount: Money
    interval: Interval
    instance_id: int | None = None


@dataclass(frozen=True, slots=True)
class RenewalAhead:
    """A term of a year or more is about to begin anew."""

    kind: ClassVar[str] = "renewal_ahead"
    subscription_id: int
    renewing: Renewing

    @property
    def key(self) -> str:
        each = self.renewing
        about = f"instance:{each.instance_id}" if each.instance_id else "plan"
        return f"{self.kind}:{self.subscription_id}:{about}:{each.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class StillRenewing:
    """Once a year: what goes on in shorter terms. year: since the plan began, from 1."""

    kind: ClassVar[str] = "still_renewing"
    subscription_id: int
    year: int
    renewing: tuple[Renewing, ...]

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.year}"


RenewalNotice = RenewalAhead | StillRenewing
RENEWAL_KINDS: tuple[type[RenewalNotice], ...] = (RenewalAhead, StillRenewing)


def is_long(interval: Interval) -> bool:
    """Whether a term is a year or more."""
    return interval.months >= 12 or interval.days >= 365


def is_ahead(renewing: Renewing, now: datetime) -> bool:
    """Whether it is time to tell of a renewal to come, of a long term."""
    return is_long(renewing.interval) and renewing.at - TOLD_BEFORE <= now


def year_due(began_at: datetime, zone: str, now: datetime) -> int | None:
    """The full year that ended within the last 30 days; None at other times."""
    anniversary = Anchor(began_at, zone).period_at(now, _YEAR).start
    if anniversary <= began_at or now >= anniversary + TOLD_AFTER:
        return None
    return anniversary.year - began_at.year
