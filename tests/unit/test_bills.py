"""Worked examples of what falls due at a boundary: lines, dates, what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.domain.arrears import Arrear
from portal.domain.bills import (
    Bill,
    after,
    bill,
    bills_due,
    next_bills,
    next_due,
    resumed,
    without_renewal,
)
from portal.domain.catalog import PriceType
from portal.domain.recurring import Terms
from portal.domain.taxes import Tax
from portal.domain.trials import trial_end, trial_notice_at
from portal.domain.working import WorkingKind
from tests.unit.billing_samples import extra, item, means, shown, state
from tests.unit.samples import (
    ANNUAL,
    APRIL,
    DAILY,
    MONTHLY,
    instant,
    money,
    once,
    recurring,
    span,
)

VAT = Tax(Decimal(20), label="VAT")
GROWTH = item(recurring("50"))
STORAGE = extra(recurring("10"), quantity=2)
MAY = instant("2026-05-01")
YEARLY = item(recurring("480", ANNUAL), "2027-04-01")


def dates(bills: tuple[Bill, ...]) -> list[str]:
    return [one.at.date().isoformat() for one in bills]


def test_one_boundary_is_one_bill_of_whole_periods() -> None:
    made = bill(state(GROWTH, STORAGE), MAY)
    assert shown(made) == [("charge", "Growth", "50.00"), ("charge", "Storage", "20.00")]
    assert made.due.charged == money("70")
    assert [line.period for line in made.lines] == [span("2026-05-01", "2026-06-01")] * 2
    assert [line.instance_id for line in made.lines] == [None, 1]
    assert {line.working.kind for line in made.lines} == {WorkingKind.WHOLE}


def test_tax_carried_and_balance_are_lines_of_the_bill() -> None:
    given = means("25", "0.32", VAT)
    made = bill(state(GROWTH, STORAGE, means=given), MAY)
    assert shown(made) == [
        ("charge", "Growth", "50.00"),
        ("tax", "VAT", "10.00"),
        ("charge", "Storage", "20.00"),
        ("tax", "VAT", "4.00"),
        ("carried", "", "0.32"),
        ("balance", "", "-25.00"),
    ]
    assert made.due.charged == money("59.32")
    assert [line.instance_id for line in made.lines] == [None, None, 1, 1, None, None]
    then = after(state(GROWTH, STORAGE, means=given), made).means
    assert (then.balance, then.carried) == (money("0"), money("0"))


def test_a_free_plan_makes_a_bill_of_nothing_and_carried_cents_wait() -> None:
    free = state(item(recurring("0")), means=means("5", "0.32"))
    made = bill(free, MAY)
    assert shown(made) == [("charge", "Growth", "0.00")]
    assert not made.due.charged
    assert after(free, made).means == free.means


def test_a_small_bill_is_carried_to_the_next() -> None:
    small = state(item(recurring("0.30")))
    first, second = bills_due(small, instant("2026-06-01"))
    assert (first.due.charged, first.due.carried_out) == (money("0"), money("0.30"))
    assert shown(second)[-1] == ("carried", "", "0.30")
    assert second.due.charged == money("0.60")


def test_a_cancelled_instance_is_not_billed_at_its_end() -> None:
    ended = replace(STORAGE, stops_at=MAY)
    assert shown(bill(state(GROWTH, ended), MAY)) == [("charge", "Growth", "50.00")]


def test_one_that_starts_at_the_boundary_is_billed_then_for_the_first_time() -> None:
    scheduled = extra(recurring("10"), until="2026-05-01", anchor="2026-04-01")
    assert ("charge", "Storage", "10.00") in shown(bill(state(GROWTH, scheduled), MAY))


def test_what_was_bought_at_the_boundary_is_not_billed_again_by_it() -> None:
    bought_then = extra(recurring("10"), until="2026-06-01")
    assert shown(bill(state(GROWTH, bought_then), MAY)) == [("charge", "Growth", "50.00")]


def test_nothing_falls_due_between_boundaries() -> None:
    with pytest.raises(ValueError, match="nothing falls due"):
        bill(state(GROWTH), instant("2026-05-02"))


def test_a_one_time_price_has_no_periods() -> None:
    with pytest.raises(ValueError, match="no periods"):
        item(once("49")).period_at(MAY)


def test_a_monthly_add_on_on_an_annual_plan_has_twelve_bills_of_its_own() -> None:
    own = extra(recurring("10"), until="2026-05-15", anchor="2026-04-15")
    made = bills_due(state(YEARLY, own), instant("2027-04-15"))
    assert len(made) == 13
    assert [shown(one) for one in made[:11]] == [[("charge", "Storage", "10.00")]] * 11
    assert shown(made[11]) == [("charge", "Growth", "480.00")]
    assert made[11].at == instant("2027-04-01")


def test_own_anchors_that_meet_make_one_bill() -> None:
    made = bills_due(state(YEARLY, extra(recurring("10"))), instant("2027-04-01"))
    assert len(made) == 12
    assert len(made[-1].lines) == 2


def test_the_subscriptions_end_ends_its_add_ons_within_their_period() -> None:
    own = extra(recurring("31"), until="2027-03-15", anchor="2026-04-15")
    ending = state(YEARLY, own, ends_at=instant("2027-04-01"))
    [last] = bills_due(ending, instant("2028-01-01"))
    assert shown(last) == [("charge", "Storage", "17.00")]
    [line] = last.lines
    assert line.period == span("2027-03-15", "2027-04-01")
    assert (line.working.left_s, line.working.whole_s) == (17 * 86_400, 31 * 86_400)
    assert next_due(after(ending, last)) is None


def test_use_beyond_the_lots_is_billed_when_its_period_ends() -> None:
    per_message = recurring("0.02", type=PriceType.USAGE)
    use = Arrear("Messages", per_message, Decimal("400"), APRIL, MAY)
    given = state(GROWTH, arrears=(use,))
    made = bill(given, MAY)
    assert shown(made) == [("charge", "Growth", "50.00"), ("charge", "Messages", "8.00")]
    assert made.lines[1].period == APRIL
    assert after(given, made).arrears == ()
    on_its_own = state(YEARLY, arrears=(use,))
    assert next_due(on_its_own) == MAY
    assert shown(bill(on_its_own, MAY)) == [("charge", "Messages", "8.00")]


def test_next_three_bills_and_the_same_without_one_auto_renew() -> None:
    given = state(GROWTH, STORAGE)
    outlook = next_bills(given, MAY, 2)
    assert (dates(outlook.today), dates(outlook.ahead)) == (
        ["2026-05-01"],
        ["2026-06-01", "2026-07-01"],
    )
    assert [one.due.charged for one in outlook.ahead] == [money("70")] * 2
    off = next_bills(without_renewal(given, 1), MAY, 2)
    assert [one.due.charged for one in (*off.today, *off.ahead)] == [money("50")] * 3
    early = next_bills(given, instant("2026-04-20"), 3)
    assert (early.today, dates(early.ahead)) == ((), ["2026-05-01", "2026-06-01", "2026-07-01"])


def test_without_the_plan_there_is_no_bill() -> None:
    ending = without_renewal(state(GROWTH, STORAGE), None)
    assert next_bills(ending, MAY, 3).ahead == ()
    assert next_due(ending) is None


def test_an_agreed_change_is_billed_from_its_boundary() -> None:
    cheaper = Terms(instant("2026-06-01"), "Starter", recurring("20"))
    lower = replace(GROWTH, agreed=(cheaper,))
    made = bills_due(state(lower, STORAGE), instant("2026-06-01"))
    assert [shown(one)[0] for one in made] == [
        ("charge", "Growth", "50.00"),
        ("charge", "Starter", "20.00"),
    ]


def test_an_agreed_change_waits_for_the_own_boundary() -> None:
    own = extra(recurring("10"), until="2026-05-15", anchor="2026-04-15", quantity=5)
    fewer = replace(own, agreed=(Terms(instant("2026-05-20"), quantity=3),))
    made = bills_due(state(YEARLY, fewer), instant("2026-06-15"))
    assert [shown(one)[0][2] for one in made] == ["50.00", "30.00"]
    assert fewer.next_quantity == 3


def test_another_interval_keeps_the_anchor_where_it_can() -> None:
    leap = item(recurring("480", ANNUAL), "2025-02-28", anchor="2024-02-29")
    term = Terms(instant("2025-02-28"), price=recurring("50"))
    made = bills_due(state(replace(leap, agreed=(term,))), instant("2025-04-29"))
    assert dates(made) == ["2025-02-28", "2025-03-29", "2025-04-29"]
    days = replace(GROWTH, agreed=(Terms(MAY, price=recurring("3", DAILY)),))
    assert dates(bills_due(state(days), instant("2026-05-03"))) == [
        "2026-05-01",
        "2026-05-02",
        "2026-05-03",
    ]
    yearly = replace(GROWTH, agreed=(Terms(MAY, price=recurring("480", ANNUAL)),))
    assert dates(bills_due(state(yearly), instant("2027-05-01"))) == ["2026-05-01", "2027-05-01"]


def test_a_restored_account_pays_the_rest_of_the_period_and_nothing_for_the_time_between() -> None:
    given = resumed(
        state(GROWTH, STORAGE, extra(recurring("5"), 2, "2026-08-01")), instant("2026-06-16")
    )
    [now, then] = bills_due(given, instant("2026-07-01"))
    assert shown(now) == [("charge", "Growth", "25.00"), ("charge", "Storage", "10.00")]
    assert now.lines[0].working.kind is WorkingKind.PRORATED
    assert shown(then) == [("charge", "Growth", "50.00"), ("charge", "Storage", "20.00")]


def test_restored_at_a_boundary_or_within_hours_of_it() -> None:
    at_boundary = resumed(state(GROWTH), instant("2026-06-01"))
    assert shown(bill(at_boundary, instant("2026-06-01"))) == [("charge", "Growth", "50.00")]
    late = resumed(state(GROWTH), instant("2026-06-30"))
    [now, then] = bills_due(late, instant("2026-07-01"))
    assert [one.due.charged for one in (now, then)] == [money("1.67"), money("50")]
    assert not after(late, now).plan.resumed


@pytest.mark.parametrize(
    ("zone", "anchor", "until", "then"),
    [
        ("America/New_York", "2026-04-01", "2026-12-01", "2027-01-01T01:00"),
        ("Europe/Berlin", "2026-01-01", "2026-07-01", "2026-07-31T23:00"),
    ],
)
def test_a_boundary_that_another_zone_moves_by_hours_is_one_whole_period(
    zone: str, anchor: str, until: str, then: str
) -> None:
    moved = state(item(recurring("50"), until, anchor, zone))
    [made] = bills_due(moved, instant(until) + timedelta(days=1))
    assert shown(made) == [("charge", "Growth", "50.00")]
    assert made.lines[0].period == span(until, then)
    assert next_due(after(moved, made)) == instant(then)


def test_a_trial_costs_nothing_until_it_ends_and_then_its_first_period() -> None:
    price = recurring("50", trial_period_days=14)
    started = instant("2026-03-20T12:00")
    ends = trial_end(price, started, "UTC")
    assert ends == instant("2026-04-03T12:00")
    assert trial_notice_at(price, started, "UTC") == instant("2026-03-31T12:00")
    trying = item(price, "2026-04-03T12:00", anchor="2026-04-03T12:00")
    assert bills_due(state(trying), instant("2026-04-03T11:59:59")) == ()
    [first] = bills_due(state(trying), ends)
    assert first.lines[0].period == span("2026-04-03T12:00", "2026-05-03T12:00")


def test_a_trial_ends_at_the_same_wall_clock_and_a_short_one_is_told_at_once() -> None:
    started = instant("2026-03-25T11:00")
    assert trial_end(recurring("5", trial_period_days=7), started, "Europe/Berlin") == instant(
        "2026-04-01T10:00"
    )
    short = recurring("5", trial_period_days=2)
    assert trial_notice_at(short, started, "UTC") == started
    assert trial_end(recurring("5"), started, "UTC") is None
    assert trial_notice_at(recurring("5", MONTHLY), started, "UTC") is None
