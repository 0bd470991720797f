"""The demo's one of the staff, both of whose steps everybody may know: in demo mode only."""

from __future__ import annotations

import pyotp
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope, StaffRole
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.staff import StaffRow
from portal.queries.demo import DEMO_STAFF
from portal.queries.staff import find_staff
from portal.services.recording import CLI, record
from portal.services.safekeeping import Safe
from portal.services.second_factor import DIGITS, STEP_S
from portal.services.staff import owner_of

NAME = "Sam Support"
SECRET = "PORTALDEMOPORTALDEMOPORTALDEMO22"  # noqa: S105  (public on purpose, as the password)


def ensure(session: Session, scope: Scope, password_hash: str, wall: WallNow, safe: Safe) -> None:
    """Support staff who need no link; commit. Who was ended or reset since stays so."""
    if _was_there(session, scope):
        return
    row = StaffRow(
        environment_id=scope.environment_id,
        email=DEMO_STAFF,
        name=NAME,
        role=StaffRole.SUPPORT,
        created_at=wall,
    )
    session.add(row)
    session.flush()
    row.password_hash, row.encrypted = password_hash, safe.lock(SECRET, owner_of(row))
    subject, added = f"staff:{row.id}", {"name": row.name, "role": row.role}
    record(session, scope, CLI, EventName.STAFF_ADDED, subject, wall, **added)
    record(session, scope, CLI, EventName.STAFF_SET_UP, subject, wall)
    session.commit()


def next_code(session: Session, scope: Scope, wall: WallNow, safe: Safe) -> str | None:
    """A code that lets them in now, good for half a minute at least; empty where all were used.

    None where they are not there, or their authenticator is another one by now.
    """
    row = find_staff(session, scope, DEMO_STAFF)
    if row is None or row.encrypted is None or safe.open(row.encrypted, owner_of(row)) != SECRET:
        return None
    now, totp = int(wall.timestamp()) // STEP_S, pyotp.TOTP(SECRET, digits=DIGITS, interval=STEP_S)
    unused = (step for step in (now, now + 1) if step > row.last_step)
    return next((totp.generate_otp(step) for step in unused), "")


def _was_there(session: Session, scope: Scope) -> bool:
    found = exists().where(
        StaffRow.environment_id == scope.environment_id, func.lower(StaffRow.email) == DEMO_STAFF
    )
    return bool(session.scalar(select(found)))
