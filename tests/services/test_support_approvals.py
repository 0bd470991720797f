"""Break-glass when two act at once: one decision, one record, one view, and nobody in a circle."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import delete

from portal.domain.access import Role
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.support import APPROVABLE
from portal.models.accounts import MembershipRow
from portal.models.support import SupportApprovalRow, SupportSessionRow


@pytest.mark.parametrize("other", ["Cleo", "Ben"])
@pytest.mark.parametrize("both", [(True, True), (True, False), (False, False)])
def test_of_two_answers_at_once_one_counts_and_is_recorded(glass, both, other):
    wish = glass.ask("Ann")
    first, second = both
    outcomes = glass.at_once(
        partial(glass.answer, "Ben", wish, approved=first),
        partial(glass.answer, other, wish, approved=second),
    )
    assert sorted(outcomes, key=str) == [Conflict, None]
    won = outcomes.index(None)
    row, answered_by = glass.wish(wish), glass.people[("Ben", other)[won]].actor.staff_id
    assert (row.answered_by_id, row.is_approved) == (answered_by, both[won])
    said = "approved" if both[won] else "approval_refused"
    assert glass.told("approved", "approval_refused") == [(said, f"staff:{answered_by}")]


def test_who_asked_does_not_come_in_between(glass):
    wish = glass.ask("Ann")
    own, others = glass.at_once(
        partial(glass.answer, "Ann", wish), partial(glass.answer, "Ben", wish, approved=False)
    )
    assert (own, others) == (Forbidden, None)
    assert glass.wish(wish).is_approved is False
    assert len(glass.told("approved", "approval_refused")) == 1


def test_two_who_approve_each_others_wishes_at_once_both_do(glass):
    mine, theirs = glass.ask("Ann"), glass.ask("Ben")
    answers = partial(glass.answer, "Ann", theirs), partial(glass.answer, "Ben", mine)
    assert glass.at_once(*answers) == [None, None]
    assert len(glass.told("approved")) == 2


def test_what_is_over_is_approved_by_nobody_however_many_try(glass):
    wish = glass.ask("Ann")
    glass.world.now += APPROVABLE
    tries = [partial(glass.answer, name, wish) for name in ("Ben", "Cleo")]
    assert glass.at_once(*tries) == [Conflict, Conflict]
    assert glass.wish(wish).answered_at is None
    assert glass.told("approved", "approval_refused") == []


def test_until_its_last_second_it_is_approved_and_then_holds_half_an_hour(glass):
    wish = glass.ask("Ann")
    glass.world.now += APPROVABLE - timedelta(seconds=1)
    glass.answer("Ben", wish)
    assert glass.wish(wish).expires_at == glass.world.now + APPROVABLE
    glass.world.now += APPROVABLE
    with pytest.raises(Conflict):
        glass.begin("Ann", wish)


def test_who_is_ended_at_that_moment_answers_nothing(glass):
    wish = glass.ask("Ann")
    glass.end("Ben")
    for approved in (True, False):
        with pytest.raises(Conflict):
            glass.answer("Ben", wish, approved=approved)
    assert glass.wish(wish).answered_at is None


def test_of_two_wishes_at_once_of_the_same_staff_one_waits(glass):
    asked = glass.at_once(partial(glass.ask, "Ann"), partial(glass.ask, "Ann"))
    assert Conflict in asked
    assert glass.world.rows(SupportApprovalRow) == len(glass.told("approval_asked")) == 1


def test_of_two_beginnings_at_once_one_is_a_view(glass):
    wish = glass.ask("Ann")
    glass.answer("Ben", wish)
    begun = glass.at_once(partial(glass.begin, "Ann", wish), partial(glass.begin, "Ann", wish))
    assert Conflict in begun
    assert glass.world.rows(SupportSessionRow) == len(glass.told("started")) == 1


def test_a_wish_is_for_one_account_and_another_may_be_had_for_the_next(glass):
    other = glass.world.account(card=None)
    wish, next_wish = glass.ask("Ann"), glass.ask("Ann", other)
    glass.answer("Ben", wish)
    with pytest.raises(NotFound):
        glass.begin("Ann", wish, other.account_id)
    glass.begin("Ann", wish)
    glass.answer("Ben", next_wish)
    glass.begin("Ann", next_wish, other.account_id)
    assert glass.world.rows(SupportSessionRow) == 2


def test_after_its_time_it_may_be_asked_again(glass):
    glass.ask("Ann")
    with pytest.raises(Conflict):
        glass.ask("Ann")
    glass.world.now += APPROVABLE
    glass.ask("Ann")


def test_who_was_removed_is_not_looked_at_though_a_member_elsewhere(glass):
    mail = "both@account1.test"
    clerk = glass.world.member(glass.actor.account_id, mail, Role.ADMIN)
    glass.world.member(glass.world.account(card=None).account_id, mail, Role.ADMIN)
    wish = glass.ask("Ann", clerk)
    glass.answer("Ben", wish)
    mine = MembershipRow.account_id == clerk.account_id, MembershipRow.person_id == clerk.person_id
    glass.world.change(delete(MembershipRow).where(*mine))
    with pytest.raises(Conflict):
        glass.begin("Ann", wish)
