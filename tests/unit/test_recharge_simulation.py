"""Laws of the simulator: what would have been bought with past use."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.money import Money
from portal.domain.recharge_decisions import Pack
from portal.domain.recharge_simulation import Day, Trial, simulate

FIRST = date(2026, 4, 12)


def pack(units: int, minor: int) -> Pack:
    return Pack(f"pack_{units}", f"{units} pack", units, Money(minor, "usd"), None)


PACKS = (pack(10_000, 700), pack(50_000, 2900), pack(100_000, 4900))


def days(*used: int, granted: dict[int, int] | None = None) -> list[Day]:
    brought = granted or {}
    return [
        Day(
            FIRST + timedelta(days=n),
            Decimal(units),
            Decimal(brought[n]) if n in brought else None,
        )
        for n, units in enumerate(used)
    ]


def trial(threshold=10_000, chosen=PACKS[1], cap=100_000, cooldown=10, opening=100_000) -> Trial:
    return Trial(
        threshold, chosen, PACKS, Money(cap, "usd"), timedelta(minutes=cooldown), Decimal(opening)
    )


def test_exactly_the_threshold_buys_nothing_and_one_less_does():
    assert simulate(trial(), days(90_000)).charges == ()
    found = simulate(trial(), days(90_001))
    assert [(c.day, c.pack.units, int(c.left)) for c in found.charges] == [(FIRST, 50_000, 9_999)]
    assert (found.closing, found.lowest) == (59_999, 9_999)


def test_the_smallest_that_clears_it_where_the_chosen_one_does_not():
    found = simulate(trial(threshold=60_000, opening=61_000), days(10_000))
    assert [c.pack.units for c in found.charges] == [50_000]
    deep = simulate(trial(threshold=60_000, opening=5_000), days(1))
    assert [c.pack.units for c in deep.charges] == [100_000]


def test_the_cap_of_a_month_stops_and_the_next_month_goes_on():
    found = simulate(trial(cap=2900, opening=9_000), days(*[3_000] * 30))
    april, may = date(2026, 4, 12), date(2026, 5, 1)
    assert [c.day for c in found.charges] == [april, may]
    assert found.capped
    assert all(day.month == 4 for day in found.capped)


def test_a_new_window_begins_with_what_the_plan_brings():
    found = simulate(trial(opening=20_000), days(5_000, 5_000, granted={1: 100_000}))
    assert (found.closing, found.charges) == (95_000, ())


def test_the_cooldown_keeps_a_burst_from_buying_several():
    slow = simulate(trial(chosen=PACKS[0], cooldown=24 * 60), days(195_000))
    assert len(slow.charges) == 1
    assert slow.missed > 0


USED = st.lists(st.integers(0, 200_000), min_size=1, max_size=30)
TRIALS = st.builds(
    trial,
    threshold=st.integers(1, 150_000),
    chosen=st.sampled_from(PACKS),
    cap=st.integers(1, 60_000),
    cooldown=st.integers(0, 3 * 24 * 60),
    opening=st.integers(0, 200_000),
)


@given(TRIALS, USED)
def test_no_month_passes_the_cap_and_every_unit_is_accounted_for(tried, used):
    found = simulate(tried, days(*used))
    for month in {c.day.month for c in found.charges}:
        spent = sum(c.pack.amount.minor for c in found.charges if c.day.month == month)
        assert spent <= tried.cap.minor
    bought = sum(c.pack.units for c in found.charges)
    assert tried.opening + bought - sum(used) + found.missed == found.closing
    assert all(c.left < tried.threshold for c in found.charges)
    assert 0 <= found.lowest <= tried.opening
    assert found.spent.minor == sum(c.pack.amount.minor for c in found.charges)


@given(TRIALS, USED)
def test_days_without_use_buy_nothing(tried, used):
    found = simulate(tried, days(*[0 for _ in used]))
    assert (found.charges, found.missed, found.closing) == ((), 0, tried.opening)
