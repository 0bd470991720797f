"""Laws of new prices for use: each unit at the price of its time, however late it is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.arrears import counted_since
from portal.domain.periods import Anchor, Period
from portal.domain.price_changes import (
    Mismatch,
    PriceChange,
    ahead,
    first_boundary,
    in_order,
    mismatches,
    price_at,
    told,
    told_off,
)
from portal.domain.price_notices import UsePriceChanging, UsePriceStays
from portal.domain.recurring import Recurring, Terms
from portal.domain.taxes import NO_TAX
from tests.unit.samples import MESSAGES, MONTHLY, for_use, instant, recurring
from tests.unit.strategies import anchors

PRICES = [for_use(amount, id) for id, amount in enumerate(("0.001", "0.002", "0.003"), start=1)]
OLD, NEW, NEWER = PRICES
START = instant("2026-04-01")
ANCHOR = Anchor(START)
HOURS = st.integers(0, 24 * 90)
SPANS = st.tuples(HOURS, HOURS).filter(lambda two: two[0] < two[1])


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def chain(first: int, second: int) -> tuple[PriceChange, ...]:
    """OLD to NEW, and NEW to NEWER."""
    return (
        PriceChange(1, None, OLD, NEW, START - timedelta(days=30), at(first)),
        PriceChange(2, None, NEW, NEWER, START - timedelta(days=30), at(second)),
    )


@given(window=SPANS, edges=SPANS, used=HOURS)
def test_each_unit_costs_the_price_of_when_it_was_counted(window, edges, used):
    """Use is set apart at each boundary before more is counted, so the last one is behind it."""
    within = Period(at(window[0]), at(window[1]))
    if at(used) not in within:
        return
    behind = max((edge for edge in edges if edge <= used), default=0)
    since = counted_since(within, at(behind))
    price = price_at(chain(*edges), None, OLD, since)
    assert price == PRICES[sum(edge <= used for edge in edges)]


@given(window=SPANS, edges=SPANS, apart=HOURS)
def test_a_window_that_ended_before_is_wholly_at_the_old_price_however_late(window, edges, apart):
    within = Period(at(window[0]), at(window[1]))
    price = price_at(chain(*edges), None, OLD, counted_since(within, at(apart)))
    assert price == OLD or window[1] > edges[0]
    assert price != OLD or window[0] < edges[0]


@given(window=SPANS, apart=HOURS)
def test_what_is_not_settled_was_used_within_its_window(window, apart):
    within = Period(at(window[0]), at(window[1]))
    assert counted_since(within, at(apart)) in within


@given(edges=SPANS, agreed=HOURS, then=HOURS)
def test_what_was_agreed_on_holds_at_its_boundary_and_what_is_announced_for_later_after_it(
    edges, agreed, then
):
    """The agreed plan charges OLD too: only what comes after it moves its holder on."""
    changes = chain(*edges)
    own = Terms(at(agreed), "Business", OLD)
    item = Recurring("Business", OLD, anchor=ANCHOR, billed_until=START)
    terms = in_order((*(each.terms for each in reversed(changes)), own))
    paid = replace(item, agreed=terms).as_agreed(at(then)).price
    waiting = changes if then < agreed else tuple(c for c in changes if c.effective_at > at(agreed))
    assert paid == price_at(waiting, None, OLD, at(then))


@given(anchors(), st.integers(0, 3), st.integers(7, 365), st.integers(-700, 700))
def test_it_comes_at_a_boundary_of_its_own_after_the_notice(anchor, billed, days, hours):
    until = anchor.boundary(billed, MONTHLY)
    told_at = until + timedelta(hours=hours)
    item = Recurring("Business", OLD, anchor=anchor, billed_until=until)
    boundary = first_boundary(item, told_at + timedelta(days=days))
    assert boundary is not None
    assert boundary - told_at >= timedelta(days=7)
    assert boundary == until or anchor.period_at(boundary, MONTHLY).start == boundary


def test_both_prices_are_told_as_they_are_for_one_unit():
    change = chain(0, 24)[0]
    item = Recurring("Business", OLD, anchor=ANCHOR, billed_until=START, agreed=(change.terms,))
    found = ahead(item, change)
    assert found is not None
    said = told(found, NO_TAX, reminder=True)
    assert isinstance(said, UsePriceChanging)
    assert (said.before, said.after, said.key) == (OLD, NEW, "price_for_use_changing:1:again")
    off = told_off(found, NO_TAX)
    assert isinstance(off, UsePriceStays)
    assert (off.price, off.key) == (OLD, "price_for_use_stays:1")


def test_only_prices_for_use_of_one_feature_follow_one_another():
    other = replace(NEW, feature=replace(MESSAGES, lookup_key="sms"))
    assert mismatches(OLD, NEW) == ()
    assert mismatches(OLD, other) == (Mismatch.FEATURE,)
    assert set(mismatches(OLD, recurring("1"))) == {Mismatch.TYPE, Mismatch.INVOICE_CADENCE}
