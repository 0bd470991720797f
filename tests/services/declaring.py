"""Somebody who declares a cancellation without signing in, and the staff who answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.declarations import CancellationKind, Declaration, Shown
from portal.domain.sign_in import Origin
from portal.models.declarations import DeclarationCaseRow, DeclarationRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.queries.declarations import Case, get_case
from portal.queries.staff import StaffMember
from portal.services import answering, declaring
from tests.services.entering import FIREFOX, HERE
from tests.services.staffing import StaffDoor
from tests.support.world import World

SAID = Declaration(
    CancellationKind.ORDINARY, "", "Ada", "Account1", "Growth", None, "owner@account1.test"
)
SHOWN = Shown("cancel-2026-12", "en", "jetzt kündigen", "de")
TOLD = "It was done by hand."


@dataclass
class Declarations:
    """by: somebody of the staff, once there is one."""

    world: World
    by: StaffMember | None = field(default=None)

    def declare(self, at: str = HERE, **said: Any) -> Any:
        with self.world.session() as session:
            return declaring.declare(
                session, self.world.scope, replace(SAID, **said), SHOWN, Origin(at, FIREFOX),
                self.world.wall,
            )  # fmt: skip

    def match(self) -> int:
        with self.world.session() as session:
            return declaring.match_waiting(session, self.world.scope, self.world.wall)

    def declare_and_match(self) -> None:
        self.declare()
        self.match()

    def case(self, number: int = 1) -> Case:
        with self.world.session() as session:
            return get_case(session, self.world.scope, number)

    def candidates(self, number: int = 1) -> tuple[answering.Candidate, ...]:
        declared = self.case(number).declared
        with self.world.session() as session:
            return answering.candidates(session, self.world.scope, declared, self.world.wall)

    def staff(self) -> StaffMember:
        if self.by is None:
            door = StaffDoor(self.world)
            self.by = door.who(door.set_up())
        assert self.by is not None
        return self.by

    def carry_out(
        self, actor: Actor, instance_id: int | None = None, number: int = 1, said: str = ""
    ) -> Any:
        by = self.staff()
        with self.world.session() as session:
            return answering.carry_out(
                by, number, actor.account_id, instance_id, said,
                session=session, gateway=self.world.gateway, wall=self.world.wall,
            )  # fmt: skip

    def put_aside(self, answer: str, number: int = 1, said: str = TOLD) -> None:
        by = self.staff()
        with self.world.session() as session:
            answering.put_aside(
                session, by, number, answering.Answer(answer), said, self.world.wall
            )

    def rows(self) -> list[tuple[DeclarationRow, DeclarationCaseRow]]:
        joined = (
            select(DeclarationRow, DeclarationCaseRow)
            .join(DeclarationCaseRow, DeclarationCaseRow.declaration_id == DeclarationRow.id)
            .order_by(DeclarationRow.id)
        )
        with self.world.session() as session:
            return [(row, case) for row, case in session.execute(joined)]

    def letters(self, kind: str = "") -> list[tuple[str, str]]:
        """Kind and recipient of what was mailed of declarations."""
        mine = select(MailRow).where(MailRow.kind.startswith(f"declaration_{kind}"))
        with self.world.session() as session:
            return [(m.kind, m.recipient) for m in session.scalars(mine.order_by(MailRow.id))]

    def told(self, prefix: str = "declaration:") -> list[tuple[str, int | None, str]]:
        """Name, account and actor of what was recorded."""
        mine = select(EventRow).where(EventRow.name.startswith(prefix)).order_by(EventRow.id)
        with self.world.session() as session:
            return [(e.name, e.account_id, e.actor) for e in session.scalars(mine)]
