"""Calendar months of an account, and what passes its limit for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from portal.domain.lines import LineKind
from portal.domain.money import Money, total

COUNTED = (LineKind.CHARGE, LineKind.CREDIT, LineKind.TAX)
"""What is carried was counted when it was bought, and the balance only pays."""


class Mode(StrEnum):
    """What happens to what would pass a ceiling."""

    OFF = "off"
    WARN = "warn"
    STOP = "stop"


class Line(Protocol):
    """A line of any quote."""

    @property
    def kind(self) -> LineKind: ...
    @property
    def amount(self) -> Money: ...
    @property
    def included(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class PassesCeiling:
    """Nothing was charged: `wanted` is more than `left` of the month's `ceiling`."""

    ceiling: Money
    left: Money
    wanted: Money


def spent_by(lines: Iterable[Line], code: str) -> Money:
    """What a purchase counts, tax included; never below zero."""
    counted = [line.amount for line in lines if line.kind in COUNTED and not line.included]
    return Money(max(total(counted, code).minor, 0), code)


def month_of(at: datetime, zone: str) -> date:
    """The first day of the calendar month that `at` is in, in `zone`."""
    return at.astimezone(ZoneInfo(zone)).date().replace(day=1)


def this_month(at: datetime, zone: str) -> datetime:
    """The instant at which the calendar month that `at` is in began in `zone`."""
    return _begins(month_of(at, zone), zone)


def next_month(at: datetime, zone: str) -> datetime:
    """The instant at which the next calendar month begins in `zone`."""
    first = month_of(at, zone)
    year, month = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    return _begins(date(year, month, 1), zone)


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def passes(ceiling: Money, counted: Money, wanted: Money) -> PassesCeiling | None:
    """Whether `wanted` does not fit beside what is counted; nothing never passes."""
    left = Money(max(ceiling.minor - counted.minor, 0), ceiling.currency)
    fits = wanted.minor == 0 or wanted.minor <= left.minor
    return None if fits else PassesCeiling(ceiling, left, wanted)
