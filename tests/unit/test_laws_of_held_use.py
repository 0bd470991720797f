"""Laws of which add-on charges for use: every unit's time has one, and none after its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.arrears import Held, counted_since
from portal.domain.periods import Period
from tests.unit.samples import instant

START = instant("2026-04-01")
HOURS = st.integers(0, 60 * 24)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


SPANS = st.tuples(HOURS, HOURS).filter(lambda two: two[0] < two[1])


@given(held=SPANS, window=SPANS, apart=HOURS)
def test_what_was_used_before_it_began_or_after_it_ended_is_not_its_own(held, window, apart):
    add_on, within = Held(at(held[0]), at(held[1])), Period(at(window[0]), at(window[1]))
    outside = within.end <= add_on.starts_at or within.start >= at(held[1])
    assert not (outside and add_on.charges(counted_since(within, at(apart))))


@given(held=SPANS, window=SPANS, apart=HOURS)
def test_a_window_within_its_time_is_wholly_its_own_however_late_it_is_reported(
    held, window, apart
):
    add_on, within = Held(at(held[0]), at(held[1])), Period(at(window[0]), at(window[1]))
    if held[0] <= window[0] and window[1] <= held[1]:
        assert add_on.charges(counted_since(within, at(apart)))


@given(edges=st.lists(HOURS, min_size=3, max_size=3, unique=True).map(sorted), used=HOURS)
def test_of_two_in_turn_each_unit_has_the_one_that_was_held_when_it_was_counted(edges, used):
    """Use is set apart at each edge before more is counted, so the last edge is behind it."""
    one, two = (Held(at(a), at(b)) for a, b in pairwise(edges))
    window = Period(START, at(61 * 24))
    apart = max((edge for edge in edges if edge <= used), default=0)
    since = counted_since(window, at(apart))
    charging = [each for each in (one, two) if each.charges(since)]
    holding = [each for each in (one, two) if each.starts_at <= at(used) < each.stops_at]
    assert charging == holding


@given(held=SPANS)
def test_its_price_comes_with_its_start_and_goes_with_its_end(held):
    began, ended = at(held[0]), at(held[1])
    assert Held(began, ended).edges == (began, ended)
    assert Held(began).edges == (began,)


@given(began=HOURS, window=SPANS, apart=HOURS)
def test_while_it_renews_only_its_start_matters(began, window, apart):
    within = Period(at(window[0]), at(window[1]))
    charges = Held(at(began)).charges(counted_since(within, at(apart)))
    assert charges == (began <= max(window[0], apart) and began < window[1])
