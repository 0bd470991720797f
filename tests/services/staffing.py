"""Somebody of the staff at their own door: links, passwords, codes, sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyotp
from sqlalchemy import select

from portal.domain.access import StaffRole
from portal.domain.sign_in import Origin
from portal.models.events import EventRow
from portal.queries.staff import StaffMember, find_staff_link, find_staff_member
from portal.services import staff, staff_sign_in
from portal.services.sign_in import CodeAsked
from portal.services.staff_sign_in import StaffEntered
from tests.services.entering import FIREFOX, HERE, SAFE, STEP
from tests.support.world import World

STAFF_MAIL, STAFF_PASSWORD = "ann@staff.test", "four plain words of ann"


@dataclass
class StaffDoor:
    """secret: of their authenticator, once it is set up."""

    world: World
    email: str = STAFF_MAIL
    secret: str = field(default="")
    name: str = "Ann"
    role: StaffRole = StaffRole.ADMIN

    def do(self, service: Any, *given: Any) -> Any:
        with self.world.session() as session:
            return service(session, self.world.scope, *given)

    def add(self) -> str:
        """What stands in the link."""
        who = self.email, self.name, self.world.wall, SAFE, self.role
        return self.do(staff.add, *who)

    def reset(self) -> str:
        return self.do(staff.reset, self.email, self.world.wall, SAFE)

    def end(self) -> None:
        self.do(staff.end, self.email, self.world.wall)

    def offered(self, written: str) -> str:
        """The secret that the link's page shows."""
        with self.world.session() as session:
            found = find_staff_link(session, self.world.scope, written, self.world.wall)
            assert found is not None
            secret = staff_sign_in.offered(found[1], found[0], SAFE)
        assert secret is not None
        return secret

    def use(self, written: str, password: str = STAFF_PASSWORD, code: str = "") -> Any:
        origin, wall = Origin(HERE, FIREFOX), self.world.wall
        typed = code or self.code()
        return self.do(staff_sign_in.set_up, written, password, typed, origin, wall, SAFE)

    def set_up(self, written: str = "") -> str:
        """The session that setting up begins; a step passes."""
        written = written or self.add()
        self.secret = self.offered(written)
        outcome = self.use(written)
        assert isinstance(outcome, StaffEntered)
        self.world.now += STEP
        return outcome.sid

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.world.now)

    def try_in(self, password: str = STAFF_PASSWORD, *, at: str = HERE, email: str = "") -> Any:
        origin = Origin(at, FIREFOX)
        return self.do(
            staff_sign_in.sign_in, email or self.email, password, origin, self.world.wall
        )

    def challenge(self) -> str:
        outcome = self.try_in()
        assert isinstance(outcome, CodeAsked)
        return outcome.challenge

    def show(self, challenge: str, code: str = "") -> Any:
        origin, typed = Origin(HERE, FIREFOX), code or self.code()
        return self.do(staff_sign_in.enter_code, challenge, typed, origin, self.world.wall, SAFE)

    def enter(self) -> str:
        """A session by both steps; a step passes."""
        outcome = self.show(self.challenge())
        assert isinstance(outcome, StaffEntered)
        self.world.now += STEP
        return outcome.sid

    def who(self, sid: str) -> StaffMember | None:
        return self.do(find_staff_member, sid, self.world.wall)

    def told(self) -> list[tuple[str, str]]:
        """Name and actor of what was recorded of staff."""
        mine = EventRow.subject.startswith("staff")
        with self.world.session() as session:
            rows = session.scalars(select(EventRow).where(mine).order_by(EventRow.id))
            return [(row.name, row.actor) for row in rows]
