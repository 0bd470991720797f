"""Laws of time: I6 and I9-I12 of billing-conventions.md §4."""

from __future__ import annotations

import time
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalog import Price
from portal.domain.money import Money
from portal.domain.periods import Anchor, Interval, Period
from portal.domain.proration import charge
from tests.unit.samples import DAILY, MONTHLY, instant, recurring
from tests.unit.strategies import (
    MONTH_INTERVALS,
    ZONES,
    Moment,
    anchors,
    flat_prices,
    instants_of,
    intervals,
    moments,
    periods,
    quantities,
)

HOST_ZONES = ("UTC", "Pacific/Honolulu", "Pacific/Kiritimati", "America/New_York")


@given(moments())
def test_i06_fraction_is_within_0_and_1(moment: Moment) -> None:
    assert 0 <= moment.period.fraction_left(moment.at) <= 1


@given(periods(), st.timedeltas(timedelta(seconds=0), timedelta(days=900)))
def test_i06_fraction_is_clamped_outside_its_period(period: Period, away: timedelta) -> None:
    assert period.fraction_left(period.start - away) == 1
    assert period.fraction_left(period.end + away) == 0


@given(anchors(), intervals, st.integers(-30, 60))
def test_i09_periods_tile(anchor: Anchor, interval: Interval, k: int) -> None:
    this, following = anchor.period(k, interval), anchor.period(k + 1, interval)
    assert this.start < this.end == following.start


@given(anchors(), intervals, st.integers(-20, 40), st.data())
def test_i09_every_now_is_in_the_period_found_for_it(
    anchor: Anchor, interval: Interval, k: int, data: st.DataObject
) -> None:
    now = data.draw(instants_of(anchor.period(k, interval)))
    found = anchor.period_at(now, interval)
    assert found.start <= now < found.end
    assert found == anchor.period(anchor.index_at(now, interval), interval)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["00:00", "02:30", "19:30"])
def test_i09_a_boundary_belongs_to_the_period_it_starts(zone: str, clock: str) -> None:
    local = datetime.fromisoformat(f"2024-01-31T{clock}").replace(tzinfo=ZoneInfo(zone))
    anchor = Anchor(local.astimezone(UTC), zone)
    for interval, last in ((DAILY, 400), (MONTHLY, 14)):
        for k in range(-1, last):
            assert anchor.index_at(anchor.boundary(k, interval), interval) == k


@given(anchors(), intervals)
def test_i09_the_first_period_starts_at_the_anchor(anchor: Anchor, interval: Interval) -> None:
    assert anchor.boundary(0, interval) == anchor.at


def test_i09_the_first_period_starts_at_the_anchor_in_the_second_hour_of_an_autumn_night() -> None:
    half_past_one_again = Anchor(instant("2026-11-01T06:30:00"), "America/New_York")
    assert half_past_one_again.boundary(0, MONTHLY) == half_past_one_again.at


@pytest.mark.parametrize("day", [28, 29, 30, 31])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_i10_month_end_recovers(day: int, zone: str) -> None:
    local = datetime(2023, 1, day, tzinfo=ZoneInfo(zone))
    anchor = Anchor(local.astimezone(UTC), zone)
    for k in range(49):
        boundary = anchor.boundary(k, MONTHLY).astimezone(ZoneInfo(zone))
        year, month0 = divmod(k, 12)
        assert (boundary.year, boundary.month) == (2023 + year, month0 + 1)
        assert boundary.day == min(day, monthrange(boundary.year, boundary.month)[1])


@given(anchors(), st.sampled_from(MONTH_INTERVALS), st.integers(-24, 60))
def test_i10_boundary_day_is_the_anchor_day_or_the_last_of_the_month(
    anchor: Anchor, interval: Interval, k: int
) -> None:
    zone = ZoneInfo(anchor.zone)
    local = anchor.at.astimezone(zone)
    months = local.year * 12 + local.month - 1 + k * interval.months
    year, month = months // 12, months % 12 + 1
    day = min(local.day, monthrange(year, month)[1])
    near = anchor.boundary(k, interval).astimezone(zone)
    wanted = datetime(year, month, day, local.hour, local.minute, local.second, tzinfo=zone)
    # A wall clock that summer time skips is moved by at most the hour that is skipped.
    assert abs(near.replace(tzinfo=None) - wanted.replace(tzinfo=None)) <= timedelta(hours=1)


@given(anchors(), intervals, st.integers(-3, 30), flat_prices(), quantities)
def test_i11_a_whole_period_is_billed_at_the_list_price(
    anchor: Anchor, interval: Interval, k: int, price: Price, quantity: Decimal
) -> None:
    period = anchor.period(k, interval)
    listed = Money.from_major(price.amount * quantity, price.currency)
    assert charge(price, quantity, period, period.start) == listed


def test_i11_a_summer_time_month_is_a_whole_month() -> None:
    juneau = Anchor(instant("2015-11-01T08:00:00"), "America/Juneau")
    lengths = {juneau.period(k, MONTHLY).length % 86_400 for k in range(12)}
    assert lengths == {0, 3_600, 82_800}, "one month gains an hour and one loses it"
    for k in range(12):
        month = juneau.period(k, MONTHLY)
        assert charge(recurring("249.95"), Decimal(1), month, month.start).minor == 24_995


@pytest.fixture
def _host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_host_zone")
@pytest.mark.parametrize("_host_zone", HOST_ZONES, indirect=True)
def test_i12_the_host_zone_changes_nothing() -> None:
    monthly = Anchor(instant("2024-01-31T04:30:00"), "America/New_York")
    assert [monthly.boundary(k, MONTHLY).isoformat() for k in (0, 1, 2, 3)] == [
        "2024-01-31T04:30:00+00:00",
        "2024-03-01T04:30:00+00:00",
        "2024-03-31T03:30:00+00:00",
        "2024-05-01T03:30:00+00:00",
    ]
    around_the_gap = Anchor(instant("2024-03-10T04:30:00"), "America/New_York")
    assert [around_the_gap.period(k, DAILY).length // 3_600 for k in (0, 1)] == [23, 24]
    march = Anchor(instant("2024-03-01"), "UTC").period_at(instant("2024-03-31T23:30"), MONTHLY)
    assert march.fraction_left(instant("2024-03-16T12:00")) == Fraction(1, 2)
    assert charge(recurring("100"), Decimal(1), march, instant("2024-03-15")).minor == 5_484


@given(anchors("UTC"), intervals, st.integers(-12, 24), st.sampled_from(HOST_ZONES))
def test_i12_utc_boundaries_do_not_depend_on_how_the_instant_is_written(
    anchor: Anchor, interval: Interval, k: int, zone: str
) -> None:
    now = anchor.boundary(k, interval)
    assert anchor.period_at(now.astimezone(ZoneInfo(zone)), interval) == anchor.period_at(
        now, interval
    )
