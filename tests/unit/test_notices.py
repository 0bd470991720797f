"""Who is told what by mail, and by which keys a notice is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.domain.access import Role
from portal.domain.cards import last_day, reminder
from portal.domain.declaration_notices import DECLARATION_KINDS
from portal.domain.enclosures import invoice_of
from portal.domain.member_notices import MEMBER_KINDS
from portal.domain.notices import KINDS, STAFF_KINDS, TOLD, is_told
from portal.domain.sign_in_notices import SIGN_IN_KINDS
from portal.domain.support_notices import SUPPORT_KINDS
from tests.support.notices import (
    AT,
    BOUGHT,
    CHANGED,
    DIGEST,
    EXPIRING,
    FAILED,
    FORGOTTEN,
    INVITED,
    NOTICES,
    REACHED,
    RETURNED,
    SWITCHED,
)

PAYERS = {Role.OWNER, Role.ADMIN, Role.BILLING}


@pytest.mark.parametrize("kind", KINDS)
def test_those_who_can_act_are_told_and_everybody_when_the_service_stops(kind):
    told = {role for role in Role if is_told(role, kind)}
    everybody = {"suspended", "restored", "plan_ended", "contract_withdrawn"}
    everybody |= {each.kind for each in SIGN_IN_KINDS}
    owners = {each.kind for each in (*SUPPORT_KINDS, *MEMBER_KINDS, *DECLARATION_KINDS)}
    others = {Role.OWNER} if kind in owners else PAYERS
    if kind in {each.kind for each in STAFF_KINDS}:
        others = set()
    assert told == (set(Role) if kind in everybody else others)


def test_there_is_a_sample_of_every_kind_and_a_row_for_it():
    assert {notice.kind for notice in NOTICES} == set(KINDS) == set(TOLD)
    assert {KINDS[notice.kind] for notice in NOTICES} == {type(notice) for notice in NOTICES}


def test_what_happens_again_has_another_key_and_the_same_has_not():
    later = AT + timedelta(days=1)
    cancelled = next(n for n in NOTICES if n.kind == "add_on_cancelled")
    suspended = next(n for n in NOTICES if n.kind == "suspended")
    plan_cancelled = next(n for n in NOTICES if n.kind == "plan_cancelled")
    expiring = next(n for n in NOTICES if n.kind == "card_expiring")
    for first, second in (
        (FAILED, replace(FAILED, tries=2)),
        (RETURNED, replace(RETURNED, failed=True)),
        (CHANGED, replace(CHANGED, scheduled=True)),
        (cancelled, replace(cancelled, cancelled_at=later)),
        (suspended, replace(suspended, at=later)),
        (plan_cancelled, replace(plan_cancelled, cancelled_at=later)),
        (expiring, replace(expiring, reminder=2)),
        (REACHED, replace(REACHED, threshold=100)),
        (REACHED, replace(REACHED, allowance=REACHED.allowance + 1)),
        (REACHED, replace(REACHED, window_start_at=later)),
        (EXPIRING, replace(EXPIRING, days=1)),
        (SWITCHED, replace(SWITCHED, is_on=False)),
        (INVITED, replace(INVITED, nonce="00ab")),
        (FORGOTTEN, replace(FORGOTTEN, nonce="00fe")),
        (DIGEST, replace(DIGEST, monday=later.date())),
    ):
        assert first.key != second.key
    assert BOUGHT.key == replace(BOUGHT, charged=BOUGHT.carried).key == "purchased:7"
    assert all(notice.key.startswith(f"{notice.kind}:") for notice in NOTICES)


def test_the_invoice_that_goes_along():
    assert invoice_of(FAILED) == FAILED.invoice
    assert invoice_of(RETURNED) is None


@pytest.mark.parametrize(
    ("today", "number"),
    [
        (date(2026, 4, 1), None),
        (date(2026, 4, 2), None),
        (date(2026, 4, 3), 1),
        (date(2026, 5, 18), 1),
        (date(2026, 5, 19), 2),
        (date(2026, 6, 2), 2),
        (date(2026, 6, 3), None),
    ],
)
def test_two_reminders_before_a_card_ends(today, number):
    assert reminder(date(2026, 6, 2), today) == number


def test_a_card_is_good_until_the_last_day_of_its_month():
    assert last_day(2, 2028) == date(2028, 2, 29)
