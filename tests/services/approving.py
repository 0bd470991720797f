"""An account that no owner lets staff look at, and staff who ask each other; several at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.errors import Conflict, Forbidden
from portal.domain.sign_in import Origin
from portal.models.accounts import MembershipRow
from portal.models.events import EventRow
from portal.models.staff import StaffRow
from portal.models.support import SupportApprovalRow
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

    def ask(self, name: str, actor: Actor | None = None) -> int:
        who = actor or self.actor
        mine = {"account_id": who.account_id, "person_id": who.person_id}
        with self.world.session() as session:
            membership = session.scalars(select(MembershipRow.id).filter_by(**mine)).one()
        wanted = Wanted(who.account_id, membership, "A figure is wrong.", "T-1")
        return self._do(support_approvals.ask, name, wanted, self.world.wall)

    def answer(self, name: str, wish: int, *, approved: bool = True) -> None:
        self._do(support_approvals.answer, name, wish, self.world.wall, approved=approved)

    def begin(self, name: str, wish: int, account_id: int = 0) -> ViewStarted:
        account_id, origin = account_id or self.actor.account_id, Origin(HERE, FIREFOX)
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


def behind_glass(world: World) -> Glass:
    """Ann, Ben and Cleo are signed in."""
    people = {}
    for name in ("Ann", "Ben", "Cleo"):
        door = StaffDoor(world, f"{name.lower()}@staff.test", name=name)
        who = door.who(door.set_up())
        assert who is not None
        people[name] = who
    return Glass(world, world.account(), people)
