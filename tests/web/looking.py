"""Somebody of the staff who looks through a member's eyes, in one browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.models.accounts import MembershipRow
from portal.models.base import Base
from portal.models.events import EventRow
from tests.support.world import World
from tests.web.reading import Reply
from tests.web.staffing import AtDesk

GRID = "/settings/billing/add-ons"
END = "/staff/support-view/end"
REASON, TICKET = "A figure on the page is wrong.", "T-42"
OF_THE_LOG = {"events", "event_seals", "event_chains", "support_sessions"}


@dataclass
class Looking:
    """actor: the member; `desk`: the staff and their browser."""

    desk: AtDesk
    actor: Actor
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.desk.world

    @property
    def client(self) -> Any:
        return self.desk.visitor.client

    @property
    def page(self) -> str:
        return f"/staff/accounts/{self.actor.account_id}"

    def membership(self) -> str:
        mine = {"account_id": self.actor.account_id, "person_id": self.actor.person_id}
        with self.world.session() as session:
            return str(session.scalars(select(MembershipRow.id).filter_by(**mine)).one())

    def start(self, status: int = 303, **typed: str) -> Reply:
        given = {"membership": self.membership(), "reason": REASON, "ticket": TICKET}
        return self.desk.send(self.page, f"{self.page}/support-view", status, **(given | typed))

    def get(self, url: str = GRID, status: int = 200, **headers: str) -> Reply:
        return self.desk.visitor.get(url, status, **headers)

    def token(self) -> str:
        return self.get().hidden("csrf_token")

    def end(self, status: int = 303) -> Reply:
        return self.desk.send(GRID, END, status)

    def told(self, name: str = "support:") -> list[tuple[str, dict[str, str]]]:
        """Events whose name begins so, with their detail."""
        mine = select(EventRow).where(EventRow.name.startswith(name)).order_by(EventRow.id)
        with self.world.session() as session:
            return [(row.name, row.detail) for row in session.scalars(mine)]

    def opened(self) -> list[str]:
        """The pages that are told of as opened."""
        return [detail["page"] for _, detail in self.told("support:page_opened")]

    def rows(self) -> dict[str, int]:
        """How many rows each table has that is not the log of support views."""
        with self.world.session() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name not in OF_THE_LOG
            }
