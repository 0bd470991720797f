"""Laws of the chain: whatever is done to sealed events is found, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.domain.chain import NOTHING, Flaw, Head, Link, broken, canonical, seal_of

PLAIN = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
DETAILS = st.dictionaries(st.text(max_size=3), PLAIN | st.lists(PLAIN, max_size=3), max_size=3)
EVENTS = st.fixed_dictionaries(
    {
        "account_id": st.just(3),
        "actor": st.sampled_from(["person:1", "stripe"]),
        "name": st.sampled_from(["card:added", "card:removed"]),
        "subject": st.text(max_size=4),
        "detail": DETAILS,
        "at": st.integers(0, 10**6).map(
            lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n)
        ),
    }
)
CHAINS = st.lists(EVENTS, min_size=1, max_size=8)


def chain_of(events: list[dict[str, Any]]) -> tuple[list[Link], Head]:
    links, seal = [], NOTHING
    for position, event in enumerate(events, start=1):
        numbered = {"id": 100 + position, **event}
        seal = seal_of(seal, position, numbered)
        links.append(Link(position, 100 + position, seal, numbered))
    return links, Head(len(links), seal)


def flaws(links: list[Link], head: Head) -> list[tuple[Flaw, int]]:
    return [(each.flaw, each.first) for each in broken(links, head)]


@given(st.lists(EVENTS, max_size=8))
def test_what_nobody_touched_is_whole(events):
    assert flaws(*chain_of(events)) == []


@given(CHAINS, st.data())
def test_a_changed_event_is_named_and_only_it(events, data):
    links, head = chain_of(events)
    n = data.draw(st.integers(0, len(links) - 1))
    other = data.draw(EVENTS)
    column = data.draw(st.sampled_from(["actor", "name", "subject", "detail", "at"]))
    assert links[n].event is not None
    forged = {**links[n].event, column: other[column]}
    assume(canonical(forged) != canonical(links[n].event))
    links[n] = replace(links[n], event=forged)
    assert flaws(links, head) == [(Flaw.CHANGED, n + 1)]


@given(CHAINS, st.data())
def test_a_deleted_event_and_a_deleted_link_are_found(events, data):
    links, head = chain_of(events)
    n = data.draw(st.integers(0, len(links) - 1))
    kept = [*links[:n], replace(links[n], event=None), *links[n + 1 :]]
    assert flaws(kept, head) == [(Flaw.GONE, n + 1)]
    assert flaws([*links[:n], *links[n + 1 :]], head) == (
        [(Flaw.MISSING, n + 1)] if n < len(links) - 1 else [(Flaw.ENDS_ELSEWHERE, n)]
    )


@given(CHAINS, st.data())
def test_links_that_close_up_after_a_deletion_are_found(events, data):
    links, head = chain_of([*events, events[0]])
    n = data.draw(st.integers(0, len(events) - 1))
    closed = [*links[:n], *(replace(x, position=x.position - 1) for x in links[n + 1 :])]
    assert (Flaw.CHANGED, n + 1) in flaws(closed, head)


@given(CHAINS, EVENTS, st.data())
def test_an_inserted_event_is_found_even_with_a_right_seal_of_its_own(events, forged, data):
    links, head = chain_of(events)
    n = data.draw(st.integers(0, len(links)))
    before = links[n - 1].digest if n else NOTHING
    link = Link(n + 1, 999, seal_of(before, n + 1, forged), forged)
    moved = [replace(each, position=each.position + 1) for each in links[n:]]
    assert flaws([*links[:n], link, *moved], head) != []


@given(CHAINS, st.data())
def test_two_events_that_changed_places_are_found(events, data):
    links, head = chain_of([*events, {**events[0], "subject": "another"}])
    one, other = data.draw(
        st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)
    )
    swapped = list(links)
    swapped[one] = replace(links[one], event=links[other].event)
    swapped[other] = replace(links[other], event=links[one].event)
    assert flaws(swapped, head) == sorted(
        [(Flaw.CHANGED, one + 1), (Flaw.CHANGED, other + 1)], key=lambda each: each[1]
    )


@given(CHAINS, st.data())
def test_a_chain_made_anew_ends_elsewhere(events, data):
    _, head = chain_of(events)
    n = data.draw(st.integers(0, len(events) - 1))
    forged = [*events[:n], {**events[n], "actor": "nobody"}, *events[n + 1 :]]
    links, _ = chain_of(forged)
    assert flaws(links, head) == [(Flaw.ENDS_ELSEWHERE, len(events))]


class Mood(StrEnum):
    GOOD = "good"


@given(DETAILS)
def test_the_form_is_the_same_after_a_database_has_kept_it(detail):
    given_back = json.loads(json.dumps(detail))
    assert canonical({"detail": detail}) == canonical({"detail": given_back})


def test_the_form_is_the_one_that_is_written_down():
    told = {
        "name": Mood.GOOD, "id": 7, "account_id": None, "address": "", "detail": {"b": 1, "a": "é"},
        "at": datetime(2026, 4, 11, 2, tzinfo=timezone(timedelta(hours=2))),
    }  # fmt: skip
    form = (
        '{"at":"2026-04-11T00:00:00.000000+00:00","detail":{"a":"\\u00e9","b":1},'
        '"id":7,"name":"good"}'
    )
    assert canonical(told) == form
    assert seal_of(NOTHING, 1, told) == (
        "0c6ce70d7286f31029911d358ad46c148aa31cdb802f35c43183e0e98fb573c7"
    )


@pytest.mark.parametrize("odd", [0.5, {1: 2.0}, [object()], {1}])
def test_what_a_database_may_give_back_otherwise_is_refused(odd):
    with pytest.raises(TypeError, match="an event cannot tell"):
        canonical({"detail": {"x": odd}})
