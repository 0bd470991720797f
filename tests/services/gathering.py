"""An account of one world, its members, and those who are invited."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from portal.domain.access import Actor, Role
from portal.domain.sign_in import Origin
from portal.domain.sign_in_notices import invitation_secret
from portal.models.accounts import MembershipRow
from portal.models.events import EventRow
from portal.models.invitations import InvitationRow
from portal.models.mails import MailRow
from portal.queries import roster
from portal.services import inviting, joining, members, sessions, sign_in
from portal.services.inviting import Sent
from portal.services.joining import Newcomer
from portal.services.sessions import Entered
from tests.services.entering import FIREFOX, HERE, SAFE, Door
from tests.support.world import PASSWORD, World

NEW = "radium and polonium"
OF_MEMBERS = ("member:", "invitation:", "session:moved")
ADA = Newcomer("Ada", NEW, "en")


@dataclass
class Party:
    """door: the owner's. Who acts is the owner, where nobody else is named."""

    world: World
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        self.door = Door(self.world)

    @property
    def owner(self) -> Actor:
        return self.door.actor

    def add(self, role: Role, email: str = "") -> Actor:
        mail = email or f"{role}{self.world.count}@party.test"
        self.world.count += 1
        return self.world.member(self.owner.account_id, mail, role)

    def membership(self, actor: Actor) -> int:
        mine = {"account_id": actor.account_id, "person_id": actor.person_id}
        with self.world.session() as session:
            return session.scalars(select(MembershipRow.id).filter_by(**mine)).one()

    def roles(self) -> list[str]:
        return sorted(each.role for each in self.listed())

    def listed(self, actor: Actor | None = None) -> list[roster.Listed]:
        with self.world.session() as session:
            return roster.members(session, actor or self.owner)

    def waiting(self) -> list[roster.Waiting]:
        with self.world.session() as session:
            return roster.waiting(session, self.owner, self.world.wall)

    def change(self, whom: Actor, role: Role, by: Actor | None = None) -> Any:
        return self.act(members.change_role, by, self.membership(whom), role)

    def remove(self, whom: Actor, by: Actor | None = None) -> Any:
        return self.act(members.remove, by, self.membership(whom))

    def leave(self, who: Actor) -> Any:
        return self.act(members.leave, who)

    def invite(self, email: str, role: Role = Role.ADMIN, by: Actor | None = None) -> Any:
        return self.act(inviting.invite, by, email, role, safe=SAFE)

    def send_again(self, by: Actor | None = None, number: int = 0) -> Any:
        return self.act(inviting.send_again, by, number or self.waiting()[0].id, safe=SAFE)

    def withdraw(self, by: Actor | None = None, number: int = 0) -> Any:
        return self.act(inviting.withdraw, by, number or self.waiting()[0].id)

    def invited(self, email: str, role: Role = Role.ADMIN) -> str:
        """What stands in the link that somebody got by mail."""
        assert self.invite(email, role) == Sent(email)
        return self.link()

    def link(self) -> str:
        """What stands in the link that was mailed last."""
        return invitation_secret(SAFE.master, self.mails()[-1].notice["nonce"])

    def join(self, written: str, who: Newcomer = ADA) -> Any:
        with self.world.session() as session:
            return joining.join(
                session, self.world.scope, written, who, Origin(HERE, FIREFOX), self.world.wall
            )

    def accept(self, written: str, sid: str) -> Any:
        with self.door.visit(sid) as visit:
            return joining.accept(visit, written)

    def move(self, sid: str, membership_id: int) -> str:
        with self.door.visit(sid) as visit:
            return sessions.move(
                visit.session, visit.actor, visit.session_id, membership_id, self.world.wall
            )

    def enter(self, email: str, password: str = PASSWORD) -> Entered:
        outcome = self.try_in(email, password)
        assert isinstance(outcome, Entered)
        return outcome

    def try_in(self, email: str, password: str = PASSWORD) -> Any:
        with self.world.session() as session:
            return sign_in.sign_in(
                session, self.world.scope, email, password, Origin(HERE, FIREFOX), self.world.wall
            )

    def mails(self) -> list[MailRow]:
        mine = MailRow.kind == "invited", MailRow.account_id == self.owner.account_id
        with self.world.session() as session:
            return list(session.scalars(select(MailRow).where(*mine).order_by(MailRow.id)))

    def letters(self, kind: str) -> list[tuple[str, bool]]:
        """To whom such mails go, and whether they are about the reader."""
        mine = MailRow.kind == kind, MailRow.account_id == self.owner.account_id
        with self.world.session() as session:
            found = session.scalars(select(MailRow).where(*mine).order_by(MailRow.recipient))
            return [(mail.recipient, mail.notice.get("is_own", False)) for mail in found]

    def rows(self) -> int:
        return self.world.rows(InvitationRow, account_id=self.owner.account_id)

    def told(self) -> list[tuple[str, str]]:
        """What was recorded of the account's members, and by whom."""
        mine = EventRow.account_id == self.owner.account_id
        with self.world.session() as session:
            found = session.scalars(select(EventRow).where(mine).order_by(EventRow.id))
            return [(e.name, e.actor) for e in found if e.name.startswith(OF_MEMBERS)]

    def act(self, service: Any, by: Actor | None, *said: Any, **more: Any) -> Any:
        with self.world.session() as session:
            return service(session, by or self.owner, *said, wall=self.world.wall, **more)


def now_as(actor: Actor, role: Role) -> Actor:
    """The same person, as a request sees them that began with that role."""
    return replace(actor, role=role)
