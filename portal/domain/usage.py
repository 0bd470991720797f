"""Usage events: what may be reported as used, and what becomes of each event of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from portal.domain.catalog import Feature, FeatureType
from portal.domain.grants import LOT_DECIMALS
from portal.domain.periods import Period

MOST_EVENTS = 1000
"""Of one report."""
LATE = timedelta(hours=24)
EARLY = timedelta(minutes=5)
OLDEST = timedelta(days=34)
IDS_KEPT = timedelta(days=35)
"""Longer than OLDEST: what is old enough for its id to be forgotten is too old to be counted."""
MOST_UNITS = Decimal(10**9)
LONGEST_ID = 255
LONGEST_REASON = 200
MOST_DIMENSIONS = 5
LONGEST_KEY = 40
LONGEST_VALUE = 100


class Refusal(StrEnum):
    EVENT_ID = "event_id"
    UNKNOWN_FEATURE = "unknown_feature"
    NOT_METERED = "not_metered"
    UNITS = "units"
    REASON = "reason"
    TIME = "time"
    FUTURE = "future"
    TOO_OLD = "too_old"
    DIMENSIONS = "dimensions"
    MORE_THAN_USED = "more_than_used"


@dataclass(frozen=True, slots=True)
class Usage:
    """A fact that the host reports. feature: its lookup key.

    event_id: the host's, unique within an account for IDS_KEPT. units: used of a consumed feature,
    below zero for a correction, which needs its reason; the new level of a held one.
    dimensions: what use is broken down by, such as {"channel": "email"}.
    """

    event_id: str
    feature: str
    units: Decimal
    occurred_at: datetime
    dimensions: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """window: where it was counted, the one it happened in; None for a held feature."""

    event_id: str
    window: Period | None


@dataclass(frozen=True, slots=True)
class Late:
    """Counted, but in the present window, its own being closed."""

    event_id: str
    window: Period


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The id was counted before; this event was not."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not counted; the same id may be sent again, mended. detail: one plain English sentence."""

    event_id: str
    reason: Refusal
    detail: str


Verdict = Counted | Late | Duplicate | Refused


def refused(
    event: Usage, features: Mapping[str, Feature], now: datetime, oldest: timedelta | None = OLDEST
) -> Refused | None:
    """Why the event cannot be counted at `now`, whatever was used so far; None when it can.

    features: by lookup key. oldest: None takes in what happened at any time.
    Source: product.md §4a.
    """
    feature = features.get(event.feature)
    found = _name(event) or _feature(event, feature)
    if found is None and feature is not None:
        found = _units(event, feature) or _reason(event)
        found = found or _time(event, now, oldest) or _dimensions(event)
    return Refused(event.event_id, *found) if found else None


def place(
    event: Usage,
    now: datetime,
    window_at: Callable[[datetime], Period],
    is_billed: Callable[[Period], bool],
    oldest: timedelta | None = OLDEST,
) -> Counted | Late:
    """The window in which use of a consumed feature is counted.

    Its own, as long as that is the present one, or it is not later than LATE and the bill of the
    window's arrears is not made. Else the present one.
    """
    own = window_at(event.occurred_at)
    is_open = now in own or (event.occurred_at >= now - LATE and not is_billed(own))
    if oldest is None or is_open:
        return Counted(event.event_id, own)
    return Late(event.event_id, window_at(now))


_Found = tuple[Refusal, str] | None


def _name(event: Usage) -> _Found:
    if not _is_plain(event.event_id, LONGEST_ID):
        return Refusal.EVENT_ID, f"An event id is 1 to {LONGEST_ID} printable signs."
    return None


def _feature(event: Usage, feature: Feature | None) -> _Found:
    if feature is None:
        return Refusal.UNKNOWN_FEATURE, f"{event.feature!r} is not a feature."
    if feature.type is not FeatureType.METERED:
        return Refusal.NOT_METERED, f"{event.feature} is not a metered feature."
    return None


def _units(event: Usage, feature: Feature) -> _Found:
    units = event.units
    if not units.is_finite() or abs(units) > MOST_UNITS or units != round(units, LOT_DECIMALS):
        return (
            Refusal.UNITS,
            f"Units are at most {MOST_UNITS:,}, with at most {LOT_DECIMALS} decimals.",
        )
    if not feature.is_consumed:
        return (Refusal.UNITS, "A level must not be negative.") if units < 0 else None
    return None if units else (Refusal.UNITS, "Units must not be zero.")


def _reason(event: Usage) -> _Found:
    if event.reason and not _is_plain(event.reason, LONGEST_REASON):
        return Refusal.REASON, f"A reason is at most {LONGEST_REASON} printable signs."
    if event.units < 0 and not event.reason.strip():
        return Refusal.REASON, "Units are negative only in a correction, which needs a reason."
    return None


def _time(event: Usage, now: datetime, oldest: timedelta | None) -> _Found:
    if event.occurred_at.tzinfo is None:
        return Refusal.TIME, "An instant needs its offset from UTC."
    if event.occurred_at > now + EARLY:
        return Refusal.FUTURE, "It happened more than 5 minutes in the future."
    if oldest is not None and event.occurred_at < now - oldest:
        return Refusal.TOO_OLD, f"It happened more than {oldest.days} days ago."
    return None


def _dimensions(event: Usage) -> _Found:
    fits = len(event.dimensions) <= MOST_DIMENSIONS and all(
        _is_plain(key, LONGEST_KEY) and _is_plain(value, LONGEST_VALUE)
        for key, value in event.dimensions.items()
    )
    if fits:
        return None
    return Refusal.DIMENSIONS, (
        f"Dimensions are at most {MOST_DIMENSIONS} pairs of printable text,"
        f" keys up to {LONGEST_KEY} signs and values up to {LONGEST_VALUE}."
    )


def _is_plain(text: object, longest: int) -> bool:
    """Printable leaves out what no database text may hold, NUL and lone surrogates."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isprintable()
