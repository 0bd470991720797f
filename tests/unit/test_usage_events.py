"""Usage events: which are refused, and in which window the others are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.periods import Anchor, Period
from portal.domain.usage import (
    IDS_KEPT,
    LATE,
    OLDEST,
    Counted,
    Late,
    Refusal,
    Usage,
    place,
    refused,
)
from tests.unit.samples import MEMBERS, MESSAGES, MONTHLY, SALESFORCE, instant

FEATURES = {f.lookup_key: f for f in (MESSAGES, MEMBERS, SALESFORCE)}
NOW = instant("2026-05-11 12:00")
FINE = Usage("event-1", "messages", Decimal(5), NOW)
SECOND = timedelta(seconds=1)
DIMENSIONS = {f"key {n}": "value" for n in range(5)}


def never(_window: Period) -> bool:
    return False


def window_at(at: datetime) -> Period:
    return Anchor(instant("2026-01-31"), "UTC").period_at(at, MONTHLY)


def reason(**changed: object) -> Refusal | None:
    found = refused(replace(FINE, **changed), FEATURES, NOW)
    return found.reason if found else None


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"event_id": "x" * 255},
        {"event_id": "Grüße 日本 🙂"},
        {"units": Decimal("0.00000001")},
        {"units": Decimal(10**9)},
        {"units": Decimal(-5), "reason": "Sent twice"},
        {"feature": "members", "units": Decimal(0)},
        {"occurred_at": NOW + timedelta(minutes=5)},
        {"occurred_at": NOW - OLDEST},
        {"dimensions": DIMENSIONS},
        {"dimensions": {"k" * 40: "v" * 100}},
    ],
)
def test_what_is_taken(changed):
    assert reason(**changed) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"event_id": ""}, Refusal.EVENT_ID),
        ({"event_id": "x" * 256}, Refusal.EVENT_ID),
        ({"event_id": "a\0b"}, Refusal.EVENT_ID),
        ({"event_id": "a\ud800"}, Refusal.EVENT_ID),
        ({"feature": "no_such"}, Refusal.UNKNOWN_FEATURE),
        ({"feature": "salesforce"}, Refusal.NOT_METERED),
        ({"units": Decimal(0)}, Refusal.UNITS),
        ({"units": Decimal("NaN")}, Refusal.UNITS),
        ({"units": Decimal("Infinity")}, Refusal.UNITS),
        ({"units": Decimal("0.000000001")}, Refusal.UNITS),
        ({"units": Decimal(10**9 + 1)}, Refusal.UNITS),
        ({"units": Decimal(-(10**9) - 1), "reason": "Too much"}, Refusal.UNITS),
        ({"feature": "members", "units": Decimal(-1), "reason": "Left"}, Refusal.UNITS),
        ({"units": Decimal(-5)}, Refusal.REASON),
        ({"units": Decimal(-5), "reason": "  "}, Refusal.REASON),
        ({"reason": "x" * 201}, Refusal.REASON),
        ({"reason": "a\0b"}, Refusal.REASON),
        ({"feature": "members", "reason": "x" * 201}, Refusal.REASON),
        ({"feature": "members", "reason": "a\0b"}, Refusal.REASON),
        ({"feature": "members", "reason": "a\ud800"}, Refusal.REASON),
        ({"occurred_at": NOW.replace(tzinfo=None)}, Refusal.TIME),
        ({"occurred_at": NOW + timedelta(minutes=5) + SECOND}, Refusal.FUTURE),
        ({"occurred_at": NOW - OLDEST - SECOND}, Refusal.TOO_OLD),
        ({"occurred_at": datetime.min.replace(tzinfo=UTC)}, Refusal.TOO_OLD),
        ({"occurred_at": datetime.max.replace(tzinfo=UTC)}, Refusal.FUTURE),
        ({"dimensions": {**DIMENSIONS, "sixth": "value"}}, Refusal.DIMENSIONS),
        ({"dimensions": {"k" * 41: "v"}}, Refusal.DIMENSIONS),
        ({"dimensions": {"k": "v" * 101}}, Refusal.DIMENSIONS),
        ({"dimensions": {"": "v"}}, Refusal.DIMENSIONS),
        ({"dimensions": {"k": ""}}, Refusal.DIMENSIONS),
        ({"dimensions": {"k": {"deep": "v"}}}, Refusal.DIMENSIONS),
        ({"dimensions": {"k": "a\0"}}, Refusal.DIMENSIONS),
    ],
)
def test_what_is_refused_and_why(changed, expected):
    assert reason(**changed) is expected


def test_a_refusal_names_its_event_and_says_why():
    found = refused(replace(FINE, units=Decimal(0)), FEATURES, NOW)
    assert (found.event_id, found.detail) == ("event-1", "Units must not be zero.")


def test_history_is_taken_whatever_its_age():
    old = replace(FINE, occurred_at=NOW - timedelta(days=400))
    assert refused(old, FEATURES, NOW, None) is None
    assert place(old, NOW, window_at, never, None) == Counted("event-1", window_at(old.occurred_at))


def test_an_id_is_kept_for_longer_than_its_event_can_be_counted():
    assert OLDEST + timedelta(minutes=5) < IDS_KEPT


BOUNDARY = instant("2026-04-30")


@pytest.mark.parametrize(
    ("now", "happened", "own"),
    [
        (BOUNDARY + SECOND, BOUNDARY - SECOND, True),
        (BOUNDARY + LATE, BOUNDARY, True),
        (BOUNDARY + LATE - SECOND, BOUNDARY - SECOND, True),
        (BOUNDARY + LATE, BOUNDARY - SECOND, False),
        (BOUNDARY + timedelta(days=20), BOUNDARY, True),
        (BOUNDARY + timedelta(days=20), BOUNDARY - SECOND, False),
        (BOUNDARY - SECOND, BOUNDARY + timedelta(minutes=4), True),
    ],
)
def test_where_late_use_is_counted(now, happened, own):
    event = replace(FINE, occurred_at=happened)
    expected = Counted("event-1", window_at(happened)) if own else Late("event-1", window_at(now))
    assert place(event, now, window_at, never) == expected


def test_late_use_of_a_window_that_is_billed_is_counted_in_the_present_one():
    now, late = BOUNDARY + SECOND, replace(FINE, occurred_at=BOUNDARY - SECOND)
    billed = [window_at(late.occurred_at)]
    assert place(late, now, window_at, billed.__contains__) == Late("event-1", window_at(now))
    on_time = replace(FINE, occurred_at=now)
    assert isinstance(place(on_time, now, window_at, lambda _: True), Counted)


@given(st.integers(-300, 34 * 86_400))
def test_counted_at_any_age_in_its_own_window_or_in_the_present_one(age):
    event = replace(FINE, occurred_at=NOW - timedelta(seconds=age))
    match place(event, NOW, window_at, never):
        case Counted(_, window):
            assert window is not None
            assert event.occurred_at in window
        case Late(_, window):
            assert NOW in window
            assert event.occurred_at not in window
            assert age > LATE.total_seconds()
