"""Laws of forecasts: the pace, when use is not covered any more, and how much is missing then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.forecast import (
    AT_ONCE,
    SOON,
    Forecast,
    Outlook,
    RunRate,
    Supply,
    forecast,
    outlook,
    rate_since,
    run_rate_of,
)
from portal.domain.grants import Lot, burn_rank, draw
from tests.unit.strategies import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TODAY = date(2026, 4, 15)

units = st.integers(0, 2_000).map(Decimal)
ends = st.none() | st.integers(1, 60).map(lambda hours: NOON + hours * HOUR)
supplies = st.lists(st.builds(Supply, units, ends), max_size=5)
paces = st.builds(RunRate, units, st.integers(1, 7))
windows = st.integers(1, 80).map(lambda hours: NOON + hours * HOUR)


def made(
    rate: RunRate, held: list[Supply], end: datetime, used: int = 0, refills: bool = False
) -> Forecast:
    return forecast(rate, Decimal(used), held, NOON, end, refills=refills)


@st.composite
def hourly(draw_: st.DrawFn) -> tuple[RunRate, list[Lot]]:
    """A pace of whole units an hour, and lots that are empty on an hour at that pace."""
    each = draw_(st.integers(1, 9))
    count = draw_(st.integers(0, 5))
    lots = [
        Lot(
            id=number,
            granted=Decimal(9_999),
            remaining=Decimal(each * draw_(st.integers(0, 20))),
            effective_at=NOON - DAY,
            created_at=NOON - DAY,
            expires_at=draw_(ends),
            priority=draw_(st.sampled_from([40, 50])),
        )
        for number in range(count)
    ]
    return RunRate(Decimal(each * 24), 1), sorted(lots, key=burn_rank)


@given(hourly(), st.integers(1, 80))
def test_it_says_what_drawing_hour_by_hour_comes_to(
    given_: tuple[RunRate, list[Lot]], hours: int
) -> None:
    rate, lots = given_
    found = made(rate, [Supply(lot.remaining, lot.expires_at) for lot in lots], NOON + hours * HOUR)
    excess, first, left = Decimal(0), None, lots
    for hour in range(hours):
        at = NOON + hour * HOUR
        drawing = draw(left, rate.units / 24, at)
        taken = {one.lot_id: one.units for one in drawing.draws}
        left = [replace(lot, remaining=lot.remaining - taken.get(lot.id, 0)) for lot in left]
        excess += drawing.excess
        first = at if drawing.excess and first is None else first
    assert found.short == excess
    if first is not None:
        assert found.runs_out_at == first
    else:
        assert found.runs_out_at is None or found.runs_out_at >= NOON + hours * HOUR


@given(paces, supplies, windows, st.booleans())
def test_nothing_is_short_unless_it_runs_out_before_the_end(
    rate: RunRate, held: list[Supply], end: datetime, refills: bool
) -> None:
    found = made(rate, held, end, refills=refills)
    if found.short:
        assert found.runs_out_at is not None
        assert found.runs_out_at < end
    if refills:
        assert found.runs_out_at is None or found.runs_out_at < end


@given(paces, supplies, windows, st.integers(1, 500))
def test_more_left_never_runs_out_sooner_and_never_lacks_more(
    rate: RunRate, held: list[Supply], end: datetime, more: int
) -> None:
    before, after = made(rate, held, end), made(rate, [*held, Supply(Decimal(more), None)], end)
    assert after.short <= before.short
    if after.runs_out_at is not None:
        assert before.runs_out_at is not None
        assert after.runs_out_at >= before.runs_out_at


@given(paces, supplies, windows, st.integers(1, 500))
def test_a_faster_pace_never_lasts_longer(
    rate: RunRate, held: list[Supply], end: datetime, more: int
) -> None:
    slow, fast = made(rate, held, end), made(replace(rate, units=rate.units + more), held, end)
    assert fast.at_end >= slow.at_end
    assert fast.short >= slow.short
    if slow.runs_out_at is not None:
        assert fast.runs_out_at is not None
        assert fast.runs_out_at <= slow.runs_out_at


@given(paces, supplies, windows)
def test_buying_what_is_short_is_enough_and_one_less_is_not(
    rate: RunRate, held: list[Supply], end: datetime
) -> None:
    short = made(rate, held, end).short
    assert made(rate, [*held, Supply(short, None)], end, refills=True).short == 0
    if short:
        assert made(rate, [*held, Supply(short - 1, None)], end).short > 0


@given(paces, windows, st.integers(0, 5_000))
def test_the_end_is_what_was_used_and_the_pace_from_now_on(
    rate: RunRate, end: datetime, used: int
) -> None:
    exact = used + rate.per_day * ((end - NOON) // HOUR) / 24
    assert exact <= made(rate, [], end, used).at_end < exact + 1
    assert forecast(rate, Decimal(used), None, NOON, end, refills=False).runs_out_at is None


@given(units, st.none() | st.integers(-3, 40))
def test_the_pace_is_of_whole_days_before_today_and_at_most_seven(
    used: Decimal, first: int | None
) -> None:
    found = run_rate_of(used, None if first is None else TODAY - first * DAY, TODAY)
    if first is None or first < 1:
        assert found is None
    else:
        assert found == RunRate(used, min(first, 7))
        assert found.per_day * found.days == used
        assert abs(Fraction(found.rounded) - found.per_day) <= Fraction(
            1, 2 if found.per_day >= 10 else 20
        )


@pytest.mark.parametrize(
    ("used", "days", "said"),
    [("75", 2, "38"), ("19.9", 2, "10"), ("19.5", 2, "9.8"), ("0.1", 1, "0.1"), ("0.1", 7, "0")],
)
def test_a_pace_is_said_in_whole_units_or_below_ten_in_tenths(
    used: str, days: int, said: str
) -> None:
    assert RunRate(Decimal(used), days).rounded == Decimal(said)


def test_the_seven_days_end_yesterday() -> None:
    assert rate_since(TODAY) == TODAY - 7 * DAY


@given(st.none() | units, st.none() | st.integers(-5, 15 * 24))
def test_the_colour_follows_what_is_left_and_how_long_it_lasts(
    left: Decimal | None, hours: int | None
) -> None:
    at = None if hours is None else NOON + hours * HOUR
    said = outlook(left, at, NOON)
    if left is not None and not left:
        assert said is Outlook.USED_UP
    elif hours is None or hours > 168:
        assert said is Outlook.ENOUGH
    else:
        assert said is (Outlook.AT_ONCE if hours <= 24 else Outlook.SOON)


@pytest.mark.parametrize(
    ("lasts", "said"),
    [
        (AT_ONCE, Outlook.AT_ONCE),
        (AT_ONCE + timedelta(seconds=1), Outlook.SOON),
        (SOON, Outlook.SOON),
        (SOON + timedelta(seconds=1), Outlook.ENOUGH),
    ],
)
def test_the_colours_change_at_24_hours_and_at_seven_days(lasts: timedelta, said: Outlook) -> None:
    assert outlook(Decimal(1), NOON + lasts, NOON) is said


def test_what_lasts_to_the_very_end_of_its_window_does_not_run_out() -> None:
    rate, end = RunRate(Decimal(100), 1), NOON + 10 * DAY
    enough = [Supply(Decimal(1_000), end)]
    assert made(rate, enough, end, refills=True).runs_out_at is None
    one_less = made(rate, [Supply(Decimal(999), end)], end, refills=True)
    assert (one_less.short, one_less.runs_out_at) == (1, end - timedelta(minutes=14, seconds=24))


def test_without_use_nothing_runs_out_and_what_is_gone_is_gone_now() -> None:
    still = RunRate(Decimal(0), 7)
    assert made(still, [Supply(Decimal(1), NOON + DAY)], NOON + DAY).runs_out_at is None
    assert made(still, [Supply(Decimal(0), None)], NOON + DAY).runs_out_at == NOON
    assert made(still, [], NOON + DAY, used=5).at_end == 5


def test_what_lasts_ten_years_lasts() -> None:
    slow = RunRate(Decimal(1), 7)
    assert made(slow, [Supply(Decimal(10**12), None)], NOON + DAY).runs_out_at is None
