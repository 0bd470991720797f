"""Somebody of the staff who looks through a member's eyes, in one browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.models.accounts import MembershipRow
from portal.models.base import Base
from portal.models.events import EventRow
from portal.web.security import OF_MACHINES
from tests.support.world import World
from tests.web.reading import Reply
from tests.web.staffing import AtDesk

GRID = "/settings/billing/add-ons"
END = "/staff/support-view/end"
REASON, TICKET = "A figure on the page is wrong.", "T-42"
UNKNOWN = "/settings/billing/nothing-here"
NO_PAGE = {"static", "health.healthz"}
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

    def cookies(self) -> str:
        """The header of a request that shows the view and the staff's own session."""
        held = {name: self.client.get_cookie(name) for name in ("support", "staff")}
        return "; ".join(f"{name}={cookie.value}" for name, cookie in held.items() if cookie)

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


def addresses(app: Flask, on: Looking, method: str = "") -> Iterator[tuple[str, str]]:
    """Each endpoint with an address; ids and keys name what is there, where one would."""
    instance = on.world.state(on.actor).held[0].id
    known = {"cycle": "monthly", "feature": "messages", "instance_id": instance,
             "account_id": on.actor.account_id}  # fmt: skip
    keys = {"plans": "business", "usage": "messages"}
    for rule in app.url_map.iter_rules():
        part = rule.endpoint.partition(".")[0]
        if (
            part in OF_MACHINES
            or rule.endpoint in NO_PAGE
            or method not in {"", *(rule.methods or ())}
        ):
            continue
        here = known | {"lookup_key": keys.get(part, "salesforce")}
        values = {
            name: here.get(name, 1 if f"<int:{name}>" in rule.rule else "x")
            for name in rule.arguments
        }
        yield rule.endpoint, app.url_map.bind("localhost").build(rule.endpoint, values)
