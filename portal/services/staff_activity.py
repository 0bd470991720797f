"""Staff read what was done in their environment, and that they did is recorded too."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.queries.staff import StaffMember
from portal.services.recording import record
from portal.services.staff import staff_doer


def note_reading(
    session: Session,
    who: StaffMember,
    asked: Mapping[str, str],
    wall: WallNow,
    *,
    as_file: bool = False,
) -> None:
    """Record that a page or a file of activity is opened, and what it was to show; commit."""
    told = EventName.STAFF_ACTIVITY_EXPORTED if as_file else EventName.STAFF_ACTIVITY_READ
    subject = f"staff:{who.actor.staff_id}"
    record(
        session, who.actor.scope, staff_doer(who.actor), told, subject, wall,
        staff=who.name, asked=dict(asked),
    )  # fmt: skip
    session.commit()
