"""The sessions of one person, on whatever device and for whichever of their accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.periods import WallNow
from portal.models.accounts import SessionRow
from portal.queries.members import IDLE_LIFE


@dataclass(frozen=True, slots=True)
class OpenSession:
    """user_agent: what the browser calls itself. is_this: the one that asks."""

    id: int
    user_agent: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def open_sessions(
    session: Session, actor: Actor, session_id: int, wall: WallNow
) -> list[OpenSession]:
    """This one first, then those used last."""
    rows = session.scalars(live_sessions(actor.scope, actor.person_id, wall))
    found = [
        OpenSession(
            row.id, row.user_agent, row.address, row.created_at, row.last_seen_at,
            is_this=row.id == session_id,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda each: not each.is_this)


def live_sessions(scope: Scope, person_id: int, wall: WallNow) -> Select[SessionRow]:
    """Those of a person, the last used first."""
    return (
        select(SessionRow)
        .where(
            SessionRow.environment_id == scope.environment_id,
            SessionRow.person_id == person_id,
            *under_way(wall),
        )
        .order_by(SessionRow.last_seen_at.desc(), SessionRow.id.desc())
    )


def under_way(wall: WallNow) -> tuple[ColumnElement[bool], ...]:
    """Neither revoked, nor expired, nor idle for too long."""
    row = SessionRow
    return row.revoked_at.is_(None), row.expires_at > wall, row.last_seen_at > wall - IDLE_LIFE
