"""How many requests a key may make in a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.pace import MINUTE, Pace

NOON = datetime(2026, 4, 11, 12, tzinfo=UTC)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 200)), min_size=1, max_size=60),
)
def test_no_key_makes_more_in_a_minute_that_begins_with_it_and_waiting_helps(most, steps):
    pace, at = Pace(most), NOON
    passed: dict[int, list[datetime]] = {}
    for key, seconds in steps:
        at += timedelta(seconds=seconds)
        wait = pace.wait_s(key, at)
        assert 0 <= wait <= 60
        if wait:
            assert len([t for t in passed[key] if t > at - MINUTE]) >= most
            assert pace.wait_s(key, at + timedelta(seconds=wait)) == 0
            passed[key] = [at + timedelta(seconds=wait)]
            at += timedelta(seconds=wait)
        else:
            passed.setdefault(key, []).append(at)


def test_the_first_of_the_next_minute_passes():
    pace = Pace(2)
    assert [pace.wait_s(1, NOON) for _ in range(3)] == [0, 0, 60]
    assert pace.wait_s(1, NOON + timedelta(seconds=59, milliseconds=500)) == 1
    assert pace.wait_s(2, NOON) == 0, "another key has its own minute"
    assert pace.wait_s(1, NOON + MINUTE) == 0


@pytest.mark.parametrize("back", [1, 3600])
def test_a_clock_that_was_set_back_holds_nobody_up(back):
    pace = Pace(1)
    assert pace.wait_s(1, NOON) == 0
    assert pace.wait_s(1, NOON - timedelta(seconds=back)) == 0
