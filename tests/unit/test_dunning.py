"""Failed charges: retries on days 1, 4 and 7, suspension on day 21, restored when all is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.dunning import (
    Step,
    StepKind,
    Unpaid,
    bills_on,
    due_step,
    next_step,
    next_try,
    status_after,
    suspension_at,
)
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import Anchor
from tests.unit.samples import instant
from tests.unit.strategies import anchors

FAILED = Unpaid(1, instant("2026-05-01T09:00"))
ACTIVE, PAST_DUE = SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE
SUSPENDED = SubscriptionStatus.SUSPENDED


def take(
    open_ones: list[Unpaid], now: datetime, card: str | None = "a", zone: str = "UTC"
) -> tuple[list[Step], list[Unpaid]]:
    """Every step due by `now`, each retry failing, and the invoices as they are then."""
    taken: list[Step] = []
    while (step := due_step(open_ones, card, zone, now)) is not None:
        taken.append(step)
        if step.kind is StepKind.SUSPEND:
            return taken, []
        open_ones = [
            replace(each, retries=step.number) if each.invoice_id == step.invoice_id else each
            for each in open_ones
        ]
    return taken, open_ones


def run(
    open_ones: list[Unpaid], now: datetime, card: str | None = "a", zone: str = "UTC"
) -> list[Step]:
    return take(open_ones, now, card, zone)[0]


def said(steps: list[Step]) -> list[tuple[str, int, str, int]]:
    return [(s.kind.value, s.invoice_id, s.at.strftime("%d %b %H:%M"), s.number) for s in steps]


def test_retries_on_days_1_4_and_7_and_suspension_on_day_21() -> None:
    assert said(run([FAILED], instant("2026-06-01"))) == [
        ("retry", 1, "02 May 09:00", 1),
        ("retry", 1, "05 May 09:00", 2),
        ("retry", 1, "08 May 09:00", 3),
        ("suspend", 1, "22 May 09:00", 0),
    ]


def test_nothing_is_due_a_second_early() -> None:
    assert due_step([FAILED], "a", "UTC", instant("2026-05-02T08:59:59")) is None
    assert due_step([FAILED], "a", "UTC", instant("2026-05-02T09:00")) is not None
    assert next_step([], "a", "UTC") is None


def test_days_are_those_of_the_accounts_zone() -> None:
    failed = Unpaid(1, instant("2026-03-28T12:00"))
    step = next_step([failed], "a", "Europe/Berlin")
    assert step is not None
    assert step.at == instant("2026-03-29T11:00"), "the night that summer time shortens"


@pytest.mark.parametrize(("card", "charges"), [("a", False), ("b", True), (None, False)])
def test_a_card_that_must_not_be_tried_again_is_not_and_the_dates_go_on(
    card: str | None, charges: bool
) -> None:
    refused = replace(FAILED, refused_cards=frozenset({"a"}))
    steps = run([refused], instant("2026-06-01"), card)
    assert [s.at for s in steps] == [s.at for s in run([FAILED], instant("2026-06-01"))]
    assert {s.charges for s in steps if s.kind is StepKind.RETRY} == {charges}
    assert not steps[-1].charges


def test_each_open_invoice_has_its_dates_and_the_oldest_suspends() -> None:
    second = Unpaid(2, instant("2026-05-16T09:00"))
    assert said(run([FAILED, second], instant("2026-06-30")))[3:] == [
        ("retry", 2, "17 May 09:00", 1),
        ("retry", 2, "20 May 09:00", 2),
        ("suspend", 1, "22 May 09:00", 0),
    ], "the retry on 23 May is never made"
    assert suspension_at([second], "UTC") == instant("2026-06-06T09:00")


def test_a_retry_at_the_instant_of_the_suspension_is_never_made() -> None:
    fourteen_days_later = Unpaid(0, instant("2026-05-15T09:00"), retries=2)
    steps = run([replace(FAILED, retries=3), fourteen_days_later], instant("2026-06-30"))
    assert said(steps) == [("suspend", 1, "22 May 09:00", 0)]


@given(
    st.lists(st.integers(0, 30), max_size=2),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.sampled_from(["a", "b", None]),
)
def test_the_next_try_is_the_first_step_to_come_that_charges(
    later: list[int], retries: list[int], refused: list[bool], card: str | None
) -> None:
    open_ones = [
        Unpaid(n, FAILED.failed_at + timedelta(days=days), tried, frozenset("a" if no else ""))
        for n, (days, tried, no) in enumerate(zip([0, *later], retries, refused, strict=False))
    ]
    steps = run(open_ones, FAILED.failed_at + timedelta(days=90), card)
    expected = next((step.at for step in steps if step.charges), None)
    assert next_try(open_ones, card, "UTC") == expected
    assert next_try([], card, "UTC") is None


def test_what_the_subscription_is() -> None:
    day_3, day_21 = instant("2026-05-04"), instant("2026-05-22T09:00")
    assert status_after(ACTIVE, [FAILED], "UTC", FAILED.failed_at) is PAST_DUE
    assert status_after(PAST_DUE, [FAILED], "UTC", day_21 - timedelta(seconds=1)) is PAST_DUE
    assert status_after(PAST_DUE, [FAILED], "UTC", day_21) is SUSPENDED
    assert status_after(PAST_DUE, [], "UTC", day_3) is ACTIVE
    assert status_after(SUSPENDED, [], "UTC", day_21) is ACTIVE


def test_a_suspended_subscription_waits_until_all_is_paid() -> None:
    newer = Unpaid(2, instant("2026-05-16"))
    assert status_after(SUSPENDED, [newer], "UTC", instant("2026-05-23")) is SUSPENDED


def test_what_is_cancelled_stays_so_and_a_trial_ends_with_its_first_bill() -> None:
    later = instant("2026-05-02")
    cancelled, trying = SubscriptionStatus.CANCELLED, SubscriptionStatus.TRIALING
    assert status_after(cancelled, [FAILED], "UTC", later) is cancelled
    assert status_after(cancelled, [], "UTC", later) is cancelled
    assert status_after(trying, [], "UTC", later) is trying
    assert status_after(trying, [FAILED], "UTC", later) is PAST_DUE


def test_cycles_are_billed_in_past_due_and_not_when_suspended() -> None:
    assert {status for status in SubscriptionStatus if not bills_on(status)} == {
        SUSPENDED,
        SubscriptionStatus.CANCELLED,
    }


@given(
    anchors(), st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(0, 30), max_size=2)
)
def test_catching_up_takes_the_same_steps_as_being_on_time(
    first: Anchor, looks: list[int], later: list[int]
) -> None:
    failures = [first.at, *(first.at + timedelta(days=days) for days in later)]
    open_ones = [Unpaid(number, at) for number, at in enumerate(failures)]
    at_once = run(open_ones, first.at + timedelta(days=60), zone=first.zone)
    on_time: list[Step] = []
    for days in sorted([*looks, 60]):
        taken, open_ones = take(open_ones, first.at + timedelta(days=days), zone=first.zone)
        on_time += taken
    assert on_time == at_once
    assert [s.at for s in at_once] == sorted(s.at for s in at_once)
    assert [s.kind for s in at_once].count(StepKind.SUSPEND) == 1
    assert at_once[-1].kind is StepKind.SUSPEND
