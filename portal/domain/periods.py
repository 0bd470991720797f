"""Spans of time built from an anchor. Instants are timezone-aware UTC and always passed in."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NewType
from zoneinfo import ZoneInfo

BillingNow = NewType("BillingNow", datetime)
"""The account's own now (a test clock may set it): periods, windows, lots, quotes."""
WallNow = NewType("WallNow", datetime)
"""The real now: the provider, tokens, sessions, throttles, jobs."""

_SECOND = timedelta(seconds=1)


class BillingPeriod(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    HALF_YEARLY = "HALF_YEARLY"
    ANNUAL = "ANNUAL"


_DAYS = {BillingPeriod.DAILY: 1, BillingPeriod.WEEKLY: 7}
_MONTHS = {
    BillingPeriod.MONTHLY: 1,
    BillingPeriod.QUARTERLY: 3,
    BillingPeriod.HALF_YEARLY: 6,
    BillingPeriod.ANNUAL: 12,
}


@dataclass(frozen=True, slots=True)
class Interval:
    """`count` times a named billing period; either whole days or whole months."""

    period: BillingPeriod
    count: int = 1

    @property
    def days(self) -> int:
        return _DAYS.get(self.period, 0) * self.count

    @property
    def months(self) -> int:
        return _MONTHS.get(self.period, 0) * self.count

    def divides(self, other: Interval) -> bool:
        """True when boundaries of `other` are boundaries of this one too.

        Day-based intervals must be equal. Source: upstream-systems.md §1.2 (eligibility).
        """
        if self.months and other.months:
            return other.months % self.months == 0
        return self.days == other.days and self.months == other.months


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span [start, end) of UTC instants, at least one second long."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("a Period takes UTC instants")
        if self.length < 1:
            raise ValueError("a Period lasts at least a second")

    @property
    def length(self) -> int:
        """Whole seconds from start to end."""
        return (self.end - self.start) // _SECOND

    def remaining(self, at: datetime) -> int:
        """Whole seconds from `at` to the end, clamped to [0, length]."""
        return min(max((self.end - at) // _SECOND, 0), self.length)

    def fraction_left(self, at: datetime) -> Fraction:
        """The exact share of the period from `at` to its end, within [0, 1]."""
        return Fraction(self.remaining(at), self.length)

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a series of periods begins.

    at: UTC instant of boundary 0. zone: IANA name; boundaries keep the local wall clock in it.
    Boundary k is always counted from the anchor, never from boundary k-1, so that the 31st
    clamped to 28 February is the 31st again in March.
    Source: billing-conventions.md §3 rule 2.
    """

    at: datetime
    zone: str = "UTC"

    def boundary(self, k: int, interval: Interval) -> datetime:
        """The UTC instant of boundary `k` (any integer)."""
        local = self.at.astimezone(ZoneInfo(self.zone))
        moved = _add_months(local, k * interval.months) + timedelta(days=k * interval.days)
        # Adding a timedelta forgets which of an autumn night's two equal hours it was.
        return moved.replace(fold=local.fold).astimezone(UTC)

    def period(self, k: int, interval: Interval) -> Period:
        return Period(self.boundary(k, interval), self.boundary(k + 1, interval))

    def index_at(self, at: datetime, interval: Interval) -> int:
        """The k whose period contains `at`; negative before the anchor."""
        if interval.months:
            months = (at.year - self.at.year) * 12 + at.month - self.at.month
            k = months // interval.months
        else:
            k = (at - self.at) // timedelta(days=interval.days)
        while self.boundary(k, interval) > at:
            k -= 1
        while self.boundary(k + 1, interval) <= at:
            k += 1
        return k

    def period_at(self, at: datetime, interval: Interval) -> Period:
        """The period of the series that contains `at`."""
        return self.period(self.index_at(at, interval), interval)


def _add_months(local: datetime, months: int) -> datetime:
    years, month0 = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month0 + 1
    return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))


def whole_second(at: datetime) -> datetime:
    """`at` without its fraction of a second; quotes are made at whole seconds."""
    return at.replace(microsecond=0)
