"""Laws of units at a pace: how long they last, and which of them expire unused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.forecast import unused, used_up_at
from portal.domain.grants import Lot, available, draw

NOW = datetime(2026, 4, 11, tzinfo=UTC)
DAY = timedelta(days=1)
PACES = st.integers(0, 240).map(Fraction)


@st.composite
def lots(draw_one: st.DrawFn) -> list[Lot]:
    found = []
    for number in range(draw_one(st.integers(0, 6))):
        begins = draw_one(st.integers(-20, 20))
        length = draw_one(st.none() | st.integers(1, 40))
        units = Decimal(draw_one(st.integers(0, 2_000)))
        began = NOW + begins * DAY
        found.append(
            Lot(
                id=number, granted=units, remaining=units, effective_at=began, created_at=began,
                expires_at=None if length is None else max(began, NOW) + length * DAY,
                priority=draw_one(st.integers(1, 3)),
            )
        )  # fmt: skip
    return found


def hour_by_hour(found: list[Lot], hourly: int) -> dict[int, Decimal]:
    """The same with a draw for each hour, the way use is really drawn."""
    left = {lot.id: lot for lot in found}
    for hour in range(61 * 24):
        at = NOW + hour * timedelta(hours=1)
        for taken in draw(left.values(), Decimal(hourly), at).draws:
            lot = left[taken.lot_id]
            left[lot.id] = replace(lot, remaining=lot.remaining - taken.units)
    return {lot.id: lot.remaining for lot in left.values() if lot.expires_at is not None}


@given(lots(), st.integers(0, 10))
def test_what_expires_is_what_drawing_hour_by_hour_leaves(found, hourly):
    assert unused(found, Fraction(24 * hourly), NOW) == hour_by_hour(found, hourly)


@given(lots(), PACES)
def test_no_more_expires_than_is_left_and_all_of_it_without_use(found, pace):
    lost = unused(found, pace, NOW)
    ending = {lot.id: lot.remaining for lot in found if lot.expires_at is not None}
    assert set(lost) == set(ending)
    assert all(0 <= lost[each] <= ending[each] for each in ending)
    assert unused(found, Fraction(0), NOW) == ending


@given(lots(), PACES, PACES)
def test_more_use_never_lets_more_expire(found, pace, more):
    slow, fast = unused(found, pace, NOW), unused(found, pace + more, NOW)
    assert sum(fast.values()) <= sum(slow.values())


@given(lots(), PACES, st.randoms())
def test_the_order_in_which_lots_are_named_is_nothing(found, pace, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert unused(shuffled, pace, NOW) == unused(found, pace, NOW)


@given(st.integers(1, 3_650).map(Decimal), st.integers(1, 500).map(Fraction))
def test_a_lot_without_an_end_lasts_as_long_as_the_pace_says(units, pace):
    end = used_up_at(units, pace, NOW)
    assert end is not None
    lot = Lot(1, units, units, NOW, NOW)
    assert available([lot], end) == units
    ending = replace(lot, expires_at=end + timedelta(seconds=1))
    assert unused([ending], pace, NOW) == {1: 0}
    early = replace(lot, expires_at=end - timedelta(seconds=1))
    assert unused([early], pace, NOW)[1] > 0


def test_nothing_runs_out_without_use_or_in_more_than_ten_years():
    assert used_up_at(Decimal(100), Fraction(0), NOW) is None
    assert used_up_at(Decimal(10**9), Fraction(1, 10), NOW) is None
    assert used_up_at(Decimal(3_650), Fraction(1), NOW) == NOW + 3_650 * DAY
    assert used_up_at(Decimal("3650.1"), Fraction(1), NOW) is None
    assert used_up_at(Decimal(0), Fraction(5), NOW) == NOW
    assert used_up_at(Decimal(500), Fraction(1_000), NOW) == NOW + timedelta(hours=12)


def test_the_plans_own_units_burn_first_and_let_the_pack_expire():
    plan = Lot(1, Decimal(1000), Decimal(1000), NOW, NOW, NOW + 20 * DAY, priority=40)
    pack = Lot(2, Decimal(500), Decimal(500), NOW, NOW, NOW + 30 * DAY)
    assert unused([plan, pack], Fraction(40), NOW) == {1: 200, 2: 100}
    assert unused([plan, pack], Fraction(60), NOW) == {1: 0, 2: 0}
    after = Lot(-1, Decimal(1000), Decimal(1000), NOW + 20 * DAY, NOW, NOW + 50 * DAY, priority=40)
    assert unused([plan, pack, after], Fraction(40), NOW)[2] == 500, "the next window's come first"
