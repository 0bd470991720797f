"""Break-glass when two act at once: one decision, one record, one view, and nobody in a circle."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.errors import Conflict, Forbidden
from portal.domain.sign_in import Origin
from portal.domain.support import APPROVABLE
from portal.models.accounts import MembershipRow
from portal.models.events import EventRow
from portal.models.staff import StaffRow
from portal.models.support import SupportApprovalRow, SupportSessionRow
from portal.queries.staff import StaffMember
from portal.services import staff, support_approvals
from portal.services.support import ViewStarted, Wanted
from tests.services.entering import FIREFOX, HERE
from tests.services.staffing import StaffDoor
from tests.services.test_card_news import waiting
from tests.support.world import World

PATIENCE = 10
"""Seconds."""


@dataclass
class Glass:
    """One account, and staff by name."""

    world: World
    actor: Actor
    people: dict[str, StaffMember]

    def ask(self, name: str) -> int:
        mine = {"account_id": self.actor.account_id, "person_id": self.actor.person_id}
        with self.world.session() as session:
            membership = session.scalars(select(MembershipRow.id).filter_by(**mine)).one()
        wanted = Wanted(self.actor.account_id, membership, "A figure is wrong.", "T-1")
        return self._do(support_approvals.ask, name, wanted, self.world.wall)

    def answer(self, name: str, wish: int, *, approved: bool = True) -> None:
        self._do(support_approvals.answer, name, wish, self.world.wall, approved=approved)

    def begin(self, name: str, wish: int) -> ViewStarted:
        account_id, origin = self.actor.account_id, Origin(HERE, FIREFOX)
        return self._do(support_approvals.begin, name, account_id, wish, origin, self.world.wall)

    def end(self, name: str) -> None:
        email = self.people[name].email
        with self.world.session() as session:
            staff.end(session, self.world.scope, email, self.world.wall)

    def at_once(self, *acts: Callable[[], Any]) -> list[Any]:
        """What each came to, or its error: all had begun before one could go on."""
        with self.world.session() as holder, ThreadPoolExecutor(len(acts)) as pool:
            holder.scalars(select(StaffRow).with_for_update()).all()
            begun = [pool.submit(_outcome, act) for act in acts]
            until = time.monotonic() + PATIENCE
            while waiting(self.world) < len(acts) and time.monotonic() < until:
                time.sleep(0.01)
            assert waiting(self.world) == len(acts)
            holder.rollback()
            return [each.result() for each in begun]

    def wish(self, id_: int) -> SupportApprovalRow:
        key = (self.world.scope.environment_id, id_)
        with self.world.session() as session:
            return session.get_one(SupportApprovalRow, key)

    def told(self, *names: str) -> list[tuple[str, str]]:
        """Name and actor of what was recorded of wishes and views."""
        wanted = EventRow.name.in_([f"support:{name}" for name in names])
        with self.world.session() as session:
            rows = session.scalars(select(EventRow).where(wanted).order_by(EventRow.id))
            return [(row.name.removeprefix("support:"), row.actor) for row in rows]

    def _do(self, service: Any, name: str, *given: Any, **said: Any) -> Any:
        with self.world.session() as session:
            return service(session, self.people[name], *given, **said)


def _outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (Conflict, Forbidden) as error:
        return type(error)


@pytest.fixture
def glass(world: World) -> Glass:
    people = {}
    for name in ("Ann", "Ben", "Cleo"):
        door = StaffDoor(world, f"{name.lower()}@staff.test", name=name)
        who = door.who(door.set_up())
        assert who is not None
        people[name] = who
    return Glass(world, world.account(), people)


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
