"""Laws of moving to a new price: never before the notice has run out, never two for one period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.domain.bills import after, bill, next_due
from portal.domain.lines import QuoteLine
from portal.domain.price_changes import (
    Mismatch,
    PriceChange,
    ahead,
    first_boundary,
    mismatches,
    price_at,
    price_before,
    with_change,
)
from portal.domain.proration import charge
from portal.domain.recurring import Recurring, Terms
from tests.unit.billing_samples import extra, item, means, state
from tests.unit.samples import ANNUAL, MONTHLY, QUARTERLY, WEEKLY, instant, once, recurring
from tests.unit.strategies import anchors

OLD, NEW, NEWER = (replace(recurring(a), id=i) for i, a in enumerate(("50", "60", "70"), start=1))
rhythms = st.sampled_from([WEEKLY, MONTHLY, QUARTERLY, ANNUAL])
notices = st.integers(7, 365).map(lambda days: timedelta(days=days))


def priced(item: Recurring, old_id: int = 1, new_id: int = 2) -> tuple:
    return tuple(
        replace(price, interval=item.price.interval)
        for price in (OLD, NEW, NEWER)
        if price.id in (old_id, new_id)
    )


@st.composite
def holders(draw: st.DrawFn) -> Recurring:
    """Pays OLD, in any rhythm, from any anchor, some units."""
    anchor, interval = draw(anchors()), draw(rhythms)
    return Recurring(
        name="Growth",
        price=replace(OLD, interval=interval),
        anchor=anchor,
        billed_until=anchor.boundary(draw(st.integers(0, 3)), interval),
        quantity=draw(st.integers(1, 4)),
    )


@st.composite
def announced(draw: st.DrawFn) -> tuple[Recurring, PriceChange]:
    """A holder once it was told, up to a period before or after what it was billed for."""
    holder, notice = draw(holders()), draw(notices)
    told_at = holder.billed_until + timedelta(hours=draw(st.integers(-700, 700)))
    boundary = first_boundary(holder, told_at + notice)
    assert boundary is not None
    old, new = priced(holder)
    change = PriceChange(1, None, old, new, told_at, boundary)
    assert boundary - told_at >= notice
    return with_change(holder, change), change


def lines(holder: Recurring, count: int = 16) -> Iterator[QuoteLine]:
    """Of the next bills, one each."""
    now = replace(state(holder), means=means())
    for _ in range(count):
        at = next_due(now)
        assert at is not None
        made = bill(now, at)
        [line] = made.lines
        yield line
        now = after(now, made)


@given(announced())
def test_the_old_price_up_to_the_boundary_and_the_new_one_after(given_one):
    holder, change = given_one
    for line in lines(holder):
        price = change.new if line.period.start >= change.effective_at else change.old
        assert line.amount == charge(price, holder.quantity, None, line.period.start)


@given(announced())
def test_periods_tile_and_the_change_cuts_none(given_one):
    holder, change = given_one
    made = list(lines(holder))
    assert all(one.period.end == two.period.start for one, two in pairwise(made))
    plain = list(lines(replace(holder, agreed=())))
    assert [line.period for line in made] == [line.period for line in plain]
    assert not any(line.period.start < change.effective_at < line.period.end for line in made)


@given(announced(), st.integers(1, 12))
def test_the_sum_is_so_many_old_and_so_many_new_periods(given_one, count):
    holder, change = given_one
    made = list(islice(lines(holder), count))
    before = sum(1 for line in made if line.period.start < change.effective_at)
    old, new = (charge(p, holder.quantity, None, change.effective_at) for p in priced(holder))
    assert sum(line.amount.minor for line in made) == (
        before * old.minor + (count - before) * new.minor
    )


@given(announced(), st.integers(7, 200))
def test_a_chain_goes_through_each_price_once_and_the_newest_stays(given_one, days):
    holder, first = given_one
    boundary = first_boundary(holder, first.announced_at + timedelta(days=days))
    assert boundary is not None
    old = price_before(holder, boundary)
    newer = replace(NEWER, interval=old.interval)
    second = PriceChange(2, None, old, newer, first.announced_at, boundary)
    moved = with_change(holder, second)
    paid = [line.amount.minor // (100 * holder.quantity) for line in lines(moved)]
    assert paid == sorted(paid), "50, then 60, then 70"
    assert (60 in paid) <= (second.effective_at > first.effective_at)
    starts = {line.period.start for line in lines(moved) if line.amount.minor == paid[-1]}
    assert ahead(moved, second) is not None or boundary not in starts


@given(announced())
def test_what_is_agreed_for_an_earlier_or_the_same_boundary_wins(given_one):
    holder, change = given_one
    own = replace(recurring("45"), id=9, interval=holder.price.interval)
    agreed = Terms(holder.billed_until, "Starter", own)
    assume(holder.billed_until <= change.effective_at)
    both = replace(holder, agreed=(agreed, *holder.agreed))
    assert {line.amount.minor for line in lines(both)} == {4500 * holder.quantity}
    assert ahead(both, change) is None
    assert ahead(holder, change) is not None


def test_what_ends_by_the_boundary_is_not_moved():
    at = instant("2026-06-01")
    assert first_boundary(extra(OLD, stops_at=at), at) is None
    assert first_boundary(extra(OLD, stops_at=instant("2026-07-01")), at) == at
    change = PriceChange(1, 1, OLD, NEW, instant("2026-04-11"), at)
    ended = with_change(extra(OLD, stops_at=at), change)
    assert ahead(ended, change) is None
    assert ahead(with_change(extra(OLD), change), change) is not None


@pytest.mark.parametrize(
    ("at", "boundary"),
    [("2026-04-20", "2026-05-01"), ("2026-05-01", "2026-05-01"), ("2026-05-02", "2026-06-01"),
     ("2026-06-01", "2026-06-01"), ("2026-06-02", "2026-07-01")],
)  # fmt: skip
def test_the_first_own_boundary(at: str, boundary: str):
    assert first_boundary(item(OLD), instant(at)) == instant(boundary)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (OLD, NEW, set()),
        (OLD, replace(OLD, id=7, lookup_key="other"), {Mismatch.SAME}),
        (OLD, replace(NEW, currency="eur"), {Mismatch.CURRENCY}),
        (OLD, recurring("60", ANNUAL), {Mismatch.INTERVAL}),
        (once("5"), once("6"), {Mismatch.ONETIME}),
    ],
)
def test_what_keeps_holders_where_they_are(old, new, found):
    assert set(mismatches(old, new)) == found


@pytest.mark.parametrize(
    ("days", "again"), [(14, None), (30, None), (31, "2026-05-18"), (60, "2026-05-18")]
)
def test_a_second_word_where_the_first_was_long_before(days: int, again: str | None):
    at = instant("2026-06-01")
    change = PriceChange(1, None, OLD, NEW, at - timedelta(days=days), at)
    assert change.reminded_at == (instant(again) if again else None)


def test_the_next_charge_of_each_thing_follows_its_own_changes():
    at: datetime = instant("2026-06-01")
    chain = [
        PriceChange(n, 1, old, new, at, at)
        for n, (old, new) in enumerate([(OLD, NEW), (NEW, NEWER)])
    ]
    assert price_at(chain, 1, OLD, at) == NEWER
    assert price_at(chain, 1, OLD, at - timedelta(seconds=1)) == OLD
    assert price_at(chain, None, OLD, at) == OLD
