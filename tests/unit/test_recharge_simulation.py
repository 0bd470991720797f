"""Laws of the simulator: what would have been bought with past use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.money import Money
from portal.domain.recharge_decisions import Pack
from portal.domain.recharge_simulation import MOST_CHARGES, Day, Held, Trial, simulate

FIRST = date(2026, 4, 12)
AT = datetime(2026, 5, 11, tzinfo=UTC)
WINDOW_END = datetime(2026, 6, 1, tzinfo=UTC)


def pack(units: int, minor: int) -> Pack:
    return Pack(f"pack_{units}", f"{units} pack", units, Money(minor, "usd"), None)


PACKS = (pack(10_000, 700), pack(50_000, 2900), pack(100_000, 4900))


def days(*used: int, granted: dict[int, int] | None = None) -> list[Day]:
    """granted: what the windows that begin on the n-th days bring; each ends with the next."""
    brought = granted or {}

    def end_of(n: int) -> date:
        return FIRST + timedelta(days=min((start for start in brought if start > n), default=60))

    return [
        Day(
            FIRST + timedelta(days=n),
            Decimal(units),
            (Held(Decimal(brought[n]), end_of(n)),) if n in brought else (),
            end_of(n),
        )
        for n, units in enumerate(used)
    ]


def trial(
    threshold=10_000, chosen=PACKS[1], cap=100_000, cooldown=10, opening=100_000, until=None
) -> Trial:
    return Trial(
        threshold, chosen, PACKS, Money(cap, "usd"), timedelta(minutes=cooldown),
        (Held(Decimal(opening), until),), AT, WINDOW_END,
    )  # fmt: skip


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
    left = trial(opening=20_000, until=FIRST + timedelta(days=1))
    found = simulate(left, days(5_000, 5_000, granted={1: 100_000}))
    assert (found.closing, found.charges) == (95_000, ())


def test_what_never_ends_stays_when_a_window_begins_and_burns_last():
    kept = trial(threshold=1_000, opening=9_000)
    found = simulate(kept, days(*[100] * 6, granted={2: 150, 4: 150}))
    assert (found.charges, found.lowest, found.closing) == ((), 8_700, 8_700)


def test_a_bought_pack_ends_with_its_window_or_on_its_day_or_never():
    until = {"window": WINDOW_END, "day": AT + timedelta(days=60), "never": None}
    closing = {}
    for name, end in until.items():
        sold = replace(PACKS[1], until=end)
        tried = replace(trial(chosen=sold, opening=9_000), packs=(sold,))
        lived = [replace(day, pace=Decimal(9_000)) for day in days(1, 0, 0, granted={2: 20_000})]
        found = simulate(tried, lived)
        assert len(found.charges) == 1
        closing[name] = int(found.closing)
    assert closing == {"window": 29_000, "day": 78_999, "never": 78_999}


def test_below_the_threshold_something_is_bought_without_any_use():
    """As the engine does when it is turned on: what would only end unused is not needed."""
    ends = tuple(replace(pack, until=WINDOW_END) for pack in PACKS)
    for opening, packs, bought in ((0, ends, 1), (1, ends, 0), (9_999, PACKS, 1)):
        tried = replace(trial(chosen=packs[1], opening=opening), packs=packs)
        assert len(simulate(tried, days(0, 0)).charges) == bought


def test_what_lasts_until_its_window_ends_is_not_topped_up():
    ends = tuple(replace(pack, until=WINDOW_END) for pack in PACKS)
    tried = replace(trial(chosen=ends[1], opening=9_999), packs=ends)
    for pace, bought in ((4_999, 0), (5_001, 1)):
        lived = [replace(day, pace=Decimal(pace)) for day in days(0, 0, granted={2: 1})]
        assert len(simulate(tried, lived).charges) == bought


def test_it_ends_after_many_charges():
    endless = trial(threshold=10**12, cap=9 * 10**9, cooldown=0)
    found = simulate(endless, days(*[3_000] * 30))
    assert (len(found.charges), found.is_cut) == (MOST_CHARGES, True)
    few = simulate(trial(), days(*[3_000] * 30))
    assert not few.is_cut


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
    if found.is_cut:
        return
    [opening] = tried.opening
    assert opening.units + bought - sum(used) + found.missed == found.closing
    assert all(c.left < tried.threshold for c in found.charges)
    assert 0 <= found.lowest <= opening.units
    assert found.spent.minor == sum(c.pack.amount.minor for c in found.charges)


@given(TRIALS, USED)
def test_days_without_use_buy_nothing_above_the_threshold(tried, used):
    [opening] = tried.opening
    found = simulate(replace(tried, threshold=int(opening.units)), days(*[0 for _ in used]))
    assert (found.charges, found.missed, found.closing) == ((), 0, opening.units)
