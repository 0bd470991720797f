"""Laws of renewals: I5, I6, I9-I12, I15 and I24 of billing-conventions.md §4."""

from __future__ import annotations

import time
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.bills import (
    Bill,
    BillingState,
    after,
    bill,
    bills_due,
    next_bills,
    next_due,
    without_renewal,
)
from portal.domain.dunning import Unpaid, next_step
from portal.domain.lines import LineKind, Means, QuoteLine, owed_for, sum_of
from portal.domain.money import Money, currency
from portal.domain.periods import Anchor
from portal.domain.proration import charge
from portal.domain.recurring import Recurring
from portal.domain.taxes import Tax
from portal.domain.trials import trial_end
from tests.unit.billing_samples import item, state
from tests.unit.samples import ANNUAL, MONTHLY, QUARTERLY, WEEKLY, instant, money, recurring
from tests.unit.strategies import amounts, anchors, codes, flat_prices

HOST_ZONES = ("UTC", "Pacific/Honolulu", "Pacific/Kiritimati", "America/New_York")
rhythms = st.sampled_from([WEEKLY, MONTHLY, QUARTERLY, ANNUAL])
taxes = st.builds(
    Tax,
    st.sampled_from([Decimal(0), Decimal("7.7"), Decimal(20), Decimal("23.33")]),
    st.booleans(),
    st.just("VAT"),
)


@st.composite
def items(draw: st.DrawFn, code: str, anchor: Anchor, instance_id: int | None) -> Recurring:
    """Due within its first two years; half of the instances have an anchor of their own."""
    own = anchor
    if instance_id is not None and draw(st.booleans()):
        own = replace(anchor, at=anchor.at + timedelta(hours=draw(st.integers(1, 900))))
    interval = draw(rhythms)
    price = replace(draw(flat_prices(code)), interval=interval)
    return Recurring(
        name="Thing",
        price=price,
        anchor=own,
        billed_until=own.boundary(draw(st.integers(0, 2)), interval),
        quantity=draw(st.integers(1, 5)),
        instance_id=instance_id,
    )


@st.composite
def states(draw: st.DrawFn) -> BillingState:
    code, anchor = draw(codes), draw(anchors())
    plan = draw(items(code, anchor, None))
    count = draw(st.integers(0, 3))
    held = tuple(draw(items(code, anchor, number)) for number in range(1, count + 1))
    carried = draw(amounts(code, most=40))
    paying = Means(code, draw(taxes), draw(amounts(code, most=10**5)), carried)
    ends = draw(st.none() | st.integers(0, 700).map(lambda days: anchor.at + timedelta(days=days)))
    return BillingState(paying, plan, held, ends_at=ends)


def horizon(given_state: BillingState) -> datetime:
    return given_state.plan.anchor.at + timedelta(days=800)


def charges_of(bills: tuple[Bill, ...], instance_id: int | None) -> list[QuoteLine]:
    lines = [line for one in bills for line in one.lines if line.kind is LineKind.CHARGE]
    return [line for line in lines if line.instance_id == instance_id]


@given(states())
def test_i09_billed_periods_tile(given_state: BillingState) -> None:
    made = bills_due(given_state, horizon(given_state))
    for each in (given_state.plan, *given_state.instances):
        spans = [line.period for line in charges_of(made, each.instance_id)]
        covered = [period for period in spans if period is not None]
        assert len(covered) == len(spans)
        assert all(one.end == two.start for one, two in pairwise(covered))
        assert not covered or covered[0].start == each.billed_until
        ends = given_state.ends_at
        assert ends is None or all(period.end <= ends for period in covered)


@given(states())
def test_i11_a_whole_period_is_billed_at_the_list_price_and_none_above_it(
    given_state: BillingState,
) -> None:
    made = bills_due(given_state, horizon(given_state))
    for each in (given_state.plan, *given_state.instances):
        listed = charge(each.price, Decimal(each.quantity), None, each.billed_until)
        for line in charges_of(made, each.instance_id):
            assert line.period is not None
            whole = line.period == each.period_at(line.period.start)
            assert line.amount == listed if whole else 0 <= line.amount.minor <= listed.minor


@given(states())
def test_i24_one_boundary_is_one_bill(given_state: BillingState) -> None:
    made = bills_due(given_state, horizon(given_state))
    assert [one.at for one in made] == sorted({one.at for one in made})
    for one in made:
        charged = [line for line in one.lines if line.kind is LineKind.CHARGE]
        assert charged or (one is made[-1] and one.at == given_state.ends_at)
        assert all(line.period and line.period.start == one.at for line in charged)


@given(states(), st.lists(st.integers(0, 800), max_size=8))
def test_catching_up_makes_the_same_bills_as_being_on_time(
    given_state: BillingState, looks: list[int]
) -> None:
    end, left = horizon(given_state), given_state
    on_time: list[Bill] = []
    for days in sorted([*looks, 800]):
        for one in bills_due(left, given_state.plan.anchor.at + timedelta(days=days)):
            on_time.append(one)
            left = after(left, one)
    assert tuple(on_time) == bills_due(given_state, end)
    due = next_due(left)
    assert due is None or due > end


@given(states(), st.integers(1, 4))
def test_i05_what_the_preview_says_is_what_is_billed(given_state: BillingState, count: int) -> None:
    start = given_state.plan.anchor.at - timedelta(seconds=1)
    ahead = next_bills(given_state, start, count).ahead
    left = given_state
    for previewed in ahead:
        at = next_due(left)
        assert at == previewed.at
        billed = bill(left, previewed.at)
        assert billed == previewed
        left = after(left, billed)


@given(states())
def test_i15_every_bill_adds_up_and_no_cent_is_lost(given_state: BillingState) -> None:
    code, paying = given_state.means.currency, given_state.means
    sold = charged = Money.zero(code)
    left = given_state
    for one in bills_due(given_state, horizon(given_state)):
        owed = owed_for(one.lines, code)
        assert one.due.charged + one.due.carried_out == owed
        assert one.due.charged.minor == 0 or one.due.charged.minor >= currency(code).minimum_minor
        assert all(line.amount.minor % currency(code).step == 0 for line in one.lines)
        joined = sum_of(one.lines, LineKind.CARRIED, code)
        applied = -sum_of(one.lines, LineKind.BALANCE, code)
        assert 0 <= applied.minor <= left.means.balance.minor
        sold += owed + applied - joined
        charged += one.due.charged
        left = after(left, one)
    spent = paying.balance - left.means.balance
    assert sold + paying.carried == charged + spent + left.means.carried


@given(states(), st.integers(1, 3))
def test_auto_renew_off_only_takes_that_row_away(given_state: BillingState, number: int) -> None:
    end = horizon(given_state)
    off = without_renewal(given_state, number)
    assert charges_of(bills_due(off, end), number) == []
    for other in (None, *(n for n in (1, 2, 3) if n != number)):
        without, with_it = bills_due(off, end), bills_due(given_state, end)
        assert charges_of(without, other) == charges_of(with_it, other)


@pytest.mark.parametrize("day", [28, 29, 30, 31])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_i10_48_renewals_keep_their_day(day: int, zone: str) -> None:
    local = datetime(2023, 1, day, tzinfo=ZoneInfo(zone))
    start = local.astimezone(UTC).isoformat()
    made = bills_due(state(item(recurring("50"), start, start, zone)), instant("2027-01-01"))
    assert len(made) == 48
    for k, one in enumerate(made):
        at = one.at.astimezone(ZoneInfo(zone))
        assert (at.year, at.month) == (2023 + k // 12, k % 12 + 1)
        assert (at.day, at.hour) == (min(day, monthrange(at.year, at.month)[1]), 0)
        assert one.due.charged == money("50")


def test_i10_a_year_from_29_february_is_28_february_and_the_29th_again() -> None:
    leap = item(recurring("480", ANNUAL), "2024-02-29", "2024-02-29")
    made = bills_due(state(leap), instant("2028-03-01"))
    assert [one.at.strftime("%Y-%m-%d") for one in made] == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


@pytest.mark.parametrize(
    ("code", "price", "amount"), [("jpy", "500", 1_000), ("kwd", "5.120", 10_240)]
)
def test_i25_other_decimals_are_billed_in_their_own_units(
    code: str, price: str, amount: int
) -> None:
    [made] = bills_due(
        state(item(recurring(price, currency=code), quantity=2)), instant("2026-05-01")
    )
    assert made.due.charged == Money(amount, code)


@pytest.fixture
def _host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_host_zone")
@pytest.mark.parametrize("_host_zone", HOST_ZONES, indirect=True)
def test_i12_the_host_zone_changes_nothing() -> None:
    start = "2026-01-31T05:00"
    plan = item(recurring("50"), start, start, "America/New_York")
    assert [one.at.isoformat() for one in bills_due(state(plan), instant("2026-05-01"))] == [
        "2026-01-31T05:00:00+00:00",
        "2026-02-28T05:00:00+00:00",
        "2026-03-31T04:00:00+00:00",
        "2026-04-30T04:00:00+00:00",
    ]
    step = next_step([Unpaid(1, instant("2026-03-07T23:30"))], None, "America/New_York")
    assert step is not None
    assert step.at == instant("2026-03-08T22:30")
    ends = trial_end(recurring("5", trial_period_days=2), instant("2026-03-07T23:30"), "UTC")
    assert ends == instant("2026-03-09T23:30")
