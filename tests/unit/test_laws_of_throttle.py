"""Laws of counted tries: pauses double and end, forgiveness is complete, nobody waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import throttle
from portal.domain.throttle import (
    ADDRESS,
    EMAIL,
    NONE,
    PAIR,
    Count,
    Rule,
    counted,
    forgotten_at,
    network_of,
    wait,
)

NOON = datetime(2026, 4, 11, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = [each for each in vars(throttle).values() if isinstance(each, Rule)]
rules = st.sampled_from(RULES)
gaps = st.lists(st.timedeltas(min_value=NONE, max_value=timedelta(days=3)), max_size=40)


def tried(rule: Rule, times: int, at: datetime = NOON) -> Count:
    """As many tries at one instant."""
    count = None
    for _ in range(times):
        count = counted(rule, count, at)
    assert count is not None
    return count


def test_the_figures_of_guessing_passwords():
    waits = [wait(tried(PAIR, n), NOON).total_seconds() for n in range(1, 12)]
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]
    assert [wait(tried(rule, rule.free - 1), NOON) for rule in (ADDRESS, EMAIL)] == [NONE, NONE]
    assert [rule.free for rule in (ADDRESS, EMAIL)] == [30, 100]


def test_every_rule_has_a_name_of_its_own():
    assert len({rule.name for rule in RULES}) == len(RULES) > 1


@given(rules, gaps)
def test_a_pause_ends_and_is_never_longer_than_the_rule_says(rule, spans):
    count, at = None, NOON
    for span in spans:
        at += span
        count = counted(rule, count, at)
        assert NONE <= wait(count, at) <= rule.longest
        assert wait(count, at + wait(count, at)) == NONE
        assert (wait(count, at) > NONE) == (count.tries >= rule.free)


@given(rules, st.integers(1, 10**6))
def test_one_try_more_never_shortens_the_pause(rule, tries):
    count = Count(tries, NOON, NOON)
    after = counted(rule, count, NOON)
    assert after.tries == tries + 1
    assert wait(counted(rule, after, NOON), NOON) >= wait(after, NOON)


@given(rules, st.integers(1, 300))
def test_what_is_forgotten_is_as_if_it_had_never_been(rule, tries):
    count = tried(rule, tries)
    end = forgotten_at(rule, count)
    assert counted(rule, count, end) == counted(rule, None, end)
    assert end >= count.paused_until
    if end > count.paused_until:
        assert counted(rule, count, end - SECOND).tries == 2


def test_who_never_rests_is_judged_about_as_often_as_is_forgiven():
    for rule in RULES:
        count, at, judged = None, NOON, 0
        while at < NOON + timedelta(days=7):
            count = counted(rule, count, at)
            judged += 1
            at += max(wait(count, at), SECOND)
        often = timedelta(days=7) // min(rule.quiet, rule.longest)
        assert judged <= rule.free + often + 5, rule.name


def test_one_stubborn_network_never_pauses_the_owner_elsewhere():
    pair, email, at = None, None, NOON
    while at < NOON + timedelta(days=30):
        pair, email = counted(PAIR, pair, at), counted(EMAIL, email, at)
        assert wait(email, at) == NONE
        at += max(wait(pair, at), SECOND)


def test_an_office_where_somebody_errs_every_two_minutes_is_never_paused():
    count = None
    for minutes in range(0, 60 * 24, 2):
        at = NOON + timedelta(minutes=minutes)
        count = counted(ADDRESS, count, at)
        assert wait(count, at) == NONE


@given(rules, st.integers(2, 300))
def test_each_quiet_span_forgives_one(rule, tries):
    count = tried(rule, tries)
    assert counted(rule, count, NOON + rule.quiet).tries == tries
    assert counted(rule, count, NOON + rule.quiet - SECOND).tries == tries + 1


def test_a_clock_that_goes_back_forgives_nothing_and_waits_for_nothing_else():
    count = tried(PAIR, 3)
    assert counted(PAIR, count, NOON - timedelta(hours=9)).tries == 4
    assert wait(None, NOON) == NONE


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_a_household_is_one_network(address, network):
    assert network_of(address) == network
