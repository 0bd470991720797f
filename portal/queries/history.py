"""What happened to an account lately, as its events tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models.events import EventRow

LATEST = 30


@dataclass(frozen=True, slots=True)
class Happening:
    """name: as `EventName` has it. at: by the account's clock."""

    name: str
    subject: str
    at: datetime


def latest(session: Session, actor: Actor) -> tuple[Happening, ...]:
    """The account's last events of billing, newest first."""
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.environment_id == actor.environment_id,
            EventRow.account_id == actor.account_id,
            EventRow.name.not_like("session:%"),
        )
        .order_by(EventRow.id.desc())
        .limit(LATEST)
    )
    return tuple(Happening(r.name, r.subject, r.at.astimezone(UTC)) for r in rows)
