"""Laws of alerts, of the pace at which units go, and of when reminders and digests are due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.alerts import THRESHOLDS, Load, due, reached
from portal.domain.digests import last_due
from portal.domain.expiries import STEPS, outlives, step
from portal.domain.periods import Period

UNITS = st.decimals(0, 1000, places=2)
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"])
INSTANTS = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def load(used: object, allowance: object = 100) -> Load:
    return Load(Decimal(str(used)), None if allowance is None else Decimal(str(allowance)))


@pytest.mark.parametrize(
    ("used", "allowance", "found"),
    [
        ("74.99999999", 100, ()),
        (75, 100, (75,)),
        ("89.99999999", 100, (75,)),
        (90, 100, (75, 90)),
        ("99.99999999", 100, (75, 90)),
        (100, 100, THRESHOLDS),
        (150, 100, THRESHOLDS),
        (0, 0, ()),
        (3, 0, ()),
        (10**9, None, ()),
        (0, 100, ()),
    ],
)
def test_a_threshold_is_reached_at_exactly_its_percent(used, allowance, found):
    assert reached(load(used, allowance)) == found


def told_over(
    levels: Iterable[tuple[Decimal, Decimal]], *, is_level: bool = False
) -> list[tuple[int, Decimal]]:
    """Threshold and allowance of each alert, of reports that leave so much of so much used."""
    told: dict[int, Decimal] = {}
    alerts: list[tuple[int, Decimal]] = []
    before = Decimal(0)
    for used, allowance in levels:
        found = due(Load(used, allowance), before, told, is_level=is_level)
        told |= dict.fromkeys(found, allowance)
        alerts += [(each, allowance) for each in found]
        before = used
    return alerts


@given(st.lists(st.tuples(UNITS, UNITS)), st.booleans())
def test_each_threshold_once_under_one_allowance_and_again_only_under_a_larger_one(
    reports, is_level
):
    alerts = told_over(reports, is_level=is_level)
    for threshold in THRESHOLDS:
        under = [allowance for each, allowance in alerts if each == threshold]
        assert under == sorted(set(under))


@given(st.lists(UNITS), st.decimals(1, 1000, places=2))
def test_a_window_of_one_allowance_tells_all_that_its_highest_use_reached(uses, allowance):
    alerts = told_over((used, allowance) for used in uses)
    highest = max(uses, default=Decimal(0))
    assert tuple(each for each, _ in alerts) == reached(Load(highest, allowance))


@given(st.lists(UNITS, min_size=1), st.decimals(1, 1000, places=2))
def test_nothing_is_told_twice_of_the_same_use(uses, allowance):
    used = sorted(uses)
    assert told_over((u, allowance) for u in [*used, *reversed(used), *used]) == told_over(
        (u, allowance) for u in used
    )


def test_a_pack_that_takes_use_below_arms_the_threshold_once_more():
    reports = [(80, 100), (120, 200), (150, 200), (155, 200), (140, 200), (160, 200)]
    assert told_over((Decimal(u), Decimal(a)) for u, a in reports) == [(75, 100), (75, 200)]


def test_a_pack_too_small_to_take_use_below_tells_nothing_again():
    reports = [(80, 100), (81, 104), (91, 104), (94, 104)]
    assert told_over((Decimal(u), Decimal(a)) for u, a in reports) == [(75, 100), (90, 104)]


def test_an_allowance_that_shrinks_is_told_of_at_the_next_use_and_a_level_is_not():
    reports = [(Decimal(50), Decimal(100)), (Decimal(51), Decimal(60))]
    assert told_over(reports) == [(75, 60)]
    assert told_over(reports, is_level=True) == []


def test_a_level_that_stays_is_not_told_of_in_the_next_window():
    full = load(10, 10)
    assert due(full, Decimal(10), {}, is_level=True) == ()
    assert due(full, Decimal(9), {}, is_level=True) == (100,)
    assert due(full, Decimal(9), {100: Decimal(10)}, is_level=True) == ()


@given(INSTANTS, st.integers(0, 120), ZONES, st.integers(-3000, 60))
def test_the_reminder_is_the_last_step_that_has_come(ends, life, zone, minutes):
    began, now = ends - timedelta(days=life, hours=1), ends + timedelta(minutes=minutes)
    found = step(began, ends, zone, now)
    if now >= ends:
        assert found is None
        return
    local = ends.astimezone(ZoneInfo(zone))
    due_at = {days: (local - timedelta(days=days)).astimezone(UTC) for days in STEPS}
    come = [days for days in STEPS if began < due_at[days] <= now]
    assert found == (min(come) if come else None)


def test_days_before_an_end_are_the_accounts_own_over_a_change_of_clocks():
    ends = datetime(2026, 11, 5, 5, tzinfo=UTC)  # midnight in New York, after the hour came back
    week_before = datetime(2026, 10, 29, 4, tzinfo=UTC)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    late = week_before - timedelta(seconds=1)
    assert step(began, ends, "America/New_York", late) == 30
    assert step(began, ends, "America/New_York", week_before) == 7


def test_what_ends_with_its_window_is_not_what_is_kept():
    april = Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert not outlives(april.end, april)
    assert outlives(april.end + timedelta(seconds=1), april)
    assert outlives(None, april)


@given(INSTANTS, ZONES)
def test_the_digest_is_of_the_last_monday_at_nine(now, zone):
    monday, at = last_due(now, zone)
    local = at.astimezone(ZoneInfo(zone))
    assert (local.weekday(), local.hour, local.minute, local.date()) == (0, 9, 0, monday)
    assert at <= now
    following = datetime(monday.year, monday.month, monday.day, 9, tzinfo=ZoneInfo(zone))
    assert (following + timedelta(days=7)).astimezone(UTC) > now


def test_a_minute_before_nine_is_last_weeks():
    nine = datetime(2026, 4, 13, 9, tzinfo=UTC)
    assert last_due(nine, "UTC") == (date(2026, 4, 13), nine)
    assert last_due(nine - timedelta(seconds=1), "UTC")[0] == date(2026, 4, 6)
