"""Owners and members at the page of members, and the links that come by mail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.sign_in_notices import invitation_secret
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.mails import MailRow
from tests.support.world import World
from tests.web.guarding import MASTER
from tests.web.reading import Reply, Visitor

MEMBERS = "/settings/billing/members"
NEW = "radium and polonium"


@dataclass
class Host:
    """A browser. account_id: of who is signed in there, where a test asks."""

    world: World
    visitor: Visitor
    account_id: int = 0

    def send(self, page: str, action: str, status: int, **typed: str) -> Reply:
        """Fill in the form of a page."""
        token = self.visitor.get(page).hidden("csrf_token")
        return self.visitor.post(action, {"csrf_token": token} | typed, status)

    def invite(self, email: str, role: Role | str = Role.ADMIN, status: int = 303) -> Reply:
        return self.send(MEMBERS, MEMBERS, status, email=email, role=str(role))

    def invited(self, email: str, role: Role = Role.ADMIN) -> str:
        """The page that the mailed link opens."""
        self.invite(email, role)
        return self.link()

    def link(self) -> str:
        with self.world.session() as session:
            mine = select(MailRow).where(MailRow.kind == "invited")
            mail = session.scalars(mine.order_by(MailRow.id.desc())).first()
        assert mail is not None
        return f"/sign-in/invitation/{invitation_secret(MASTER, mail.notice['nonce'])}"

    def number(self, email: str) -> int:
        """Of somebody's first membership."""
        with self.world.session() as session:
            mine = select(MembershipRow.id).join(PersonRow, PersonRow.id == MembershipRow.person_id)
            return session.scalars(mine.where(PersonRow.email == email)).first() or 0
