"""Why auto-recharge buys or does not, one cause after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.money import Money
from portal.domain.recharge_decisions import (
    Cause,
    Decision,
    Pack,
    Policy,
    Room,
    Standing,
    decide,
)

NOW = datetime(2026, 4, 11, tzinfo=UTC)
END = datetime(2026, 5, 1, tzinfo=UTC)


def usd(minor: int) -> Money:
    return Money(minor, "usd")


PACKS = (
    Pack("small", "Small", 10_000, usd(700), END),
    Pack("middle", "Middle", 50_000, usd(2900), END),
    Pack("large", "Large", 100_000, usd(4900), END),
)
AGREED = {pack.add_on: pack.amount for pack in PACKS}
POLICY = Policy(10_000, "middle", timedelta(minutes=10), None, AGREED)
LOW = Standing(
    now=NOW, remaining=Decimal(9_999), pace=Fraction(5_000), window_end=END, next_month=END,
    packs=PACKS, room=Room(usd(2900), None), may_buy=True, is_ending=False, in_flight=False,
    has_card=True,
)  # fmt: skip
JUST_TRIED = replace(POLICY, tried_at=NOW - timedelta(minutes=9, seconds=59))


@pytest.mark.parametrize(
    ("policy", "at", "cause"),
    [
        (POLICY, LOW, Cause.BOUGHT),
        (POLICY, replace(LOW, remaining=Decimal(10_000)), Cause.ABOVE_THRESHOLD),
        (POLICY, replace(LOW, remaining=Decimal("9999.99999999")), Cause.BOUGHT),
        (POLICY, replace(LOW, remaining=None), Cause.ABOVE_THRESHOLD),
        (POLICY, replace(LOW, in_flight=True), Cause.IN_FLIGHT),
        (POLICY, replace(LOW, may_buy=False), Cause.PAST_DUE),
        (POLICY, replace(LOW, is_ending=True), Cause.PLAN_ENDING),
        (POLICY, replace(LOW, is_renewing=True), Cause.RENEWING),
        (POLICY, replace(LOW, is_renewing=True, may_buy=False), Cause.PAST_DUE),
        (JUST_TRIED, LOW, Cause.COOLDOWN),
        (JUST_TRIED, replace(LOW, now=NOW + timedelta(seconds=1)), Cause.BOUGHT),
        (POLICY, replace(LOW, packs=()), Cause.NOT_SOLD),
        (POLICY, replace(LOW, pace=Fraction(0)), Cause.WINDOW_ENDS),
        (POLICY, replace(LOW, pace=Fraction(0), remaining=Decimal(1)), Cause.WINDOW_ENDS),
        (POLICY, replace(LOW, pace=Fraction(0), remaining=Decimal("0.5")), Cause.BOUGHT),
        (POLICY, replace(LOW, pace=Fraction(0), remaining=Decimal(0)), Cause.BOUGHT),
        (POLICY, replace(LOW, pace=Fraction(400)), Cause.WINDOW_ENDS),
        (POLICY, replace(LOW, pace=Fraction(600)), Cause.BOUGHT),
        (POLICY, replace(LOW, room=Room(usd(2899), None)), Cause.CAP),
        (POLICY, replace(LOW, room=Room(usd(2900), usd(2899))), Cause.CEILING),
        (POLICY, replace(LOW, room=Room(usd(2900), usd(2900))), Cause.BOUGHT),
        (POLICY, replace(LOW, has_card=False), Cause.NO_CARD),
    ],
)
def test_each_cause(policy, at, cause):
    assert decide(policy, at).cause is cause


def test_what_the_balance_pays_needs_no_card():
    paid = tuple(replace(pack, is_charged=pack.add_on != "middle") for pack in PACKS)
    poor = replace(LOW, packs=paid, has_card=False)
    assert decide(POLICY, poor).cause is Cause.BOUGHT
    assert decide(replace(POLICY, chosen="small"), poor).cause is Cause.NO_CARD


def test_what_does_not_end_with_the_window_is_bought_whatever_the_pace():
    lasting = tuple(replace(pack, until=None) for pack in PACKS)
    assert decide(POLICY, replace(LOW, packs=lasting, pace=Fraction(0))).cause is Cause.BOUGHT


def test_even_the_largest_may_leave_too_little():
    deep = replace(LOW, remaining=Decimal(0), room=Room(usd(10_000), None))
    found = decide(replace(POLICY, threshold=200_000), deep)
    assert (found.pack, found.clears) == (PACKS[2], False)


def test_nothing_stands_in_for_the_agreed_pack_where_it_is_not_sold_any_more():
    left = tuple(pack for pack in PACKS if pack.add_on != "middle")
    assert decide(POLICY, replace(LOW, packs=left)) == Decision(Cause.NOT_SOLD)


@pytest.mark.parametrize(
    ("now", "cause"),
    [(usd(2899), Cause.BOUGHT), (usd(2901), Cause.PRICE_CHANGED),
     (Money(2900, "eur"), Cause.PRICE_CHANGED)],
)  # fmt: skip
def test_no_more_is_charged_than_was_agreed_to(now, cause):
    room = Room(Money(10_000, now.currency), None)
    at = replace(LOW, packs=(PACKS[0], replace(PACKS[1], amount=now), PACKS[2]), room=room)
    assert decide(POLICY, at).cause is cause


def test_what_is_bought_instead_was_named_at_that_price_too():
    deep = replace(LOW, remaining=Decimal(0), room=Room(usd(100_000), None))
    larger = replace(POLICY, threshold=60_000)
    assert decide(larger, deep).pack == PACKS[2]
    dear = replace(deep, packs=(*PACKS[:2], replace(PACKS[2], amount=usd(4901))))
    assert decide(larger, dear).cause is Cause.PRICE_CHANGED
    new = Pack("new", "New", 70_000, usd(3900), END)
    assert decide(larger, replace(deep, packs=(*PACKS, new))).pack == PACKS[2]


@given(
    remaining=st.integers(0, 300_000),
    threshold=st.integers(1, 300_000),
    cap=st.integers(0, 6_000),
    ceiling=st.none() | st.integers(0, 6_000),
)
def test_nothing_is_bought_beyond_what_may_be_spent_or_above_the_threshold(
    remaining, threshold, cap, ceiling
):
    room = Room(usd(cap), None if ceiling is None else usd(ceiling))
    at = replace(LOW, remaining=Decimal(remaining), room=room, pace=Fraction(300_000))
    found = decide(replace(POLICY, threshold=threshold), at)
    assert (found.cause is Cause.ABOVE_THRESHOLD) is (remaining >= threshold)
    if found.cause is Cause.BOUGHT and found.pack is not None:
        assert found.pack.amount.minor <= min(cap, cap if ceiling is None else ceiling)
        assert found.clears is (remaining + found.pack.units >= threshold)
