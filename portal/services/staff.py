"""Members of staff: added, given links that set both steps of their sign-in, and ended."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

import pyotp
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Scope, StaffActor, StaffRole
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.models.identities import StaffIdentityRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow, StaffRow, StaffSessionRow
from portal.queries.staff import find_staff
from portal.services.recording import CLI, Doer, record
from portal.services.safekeeping import Safe

LINK_LIFE = timedelta(hours=24)


def add(
    session: Session,
    scope: Scope,
    email: str,
    name: str,
    wall: WallNow,
    safe: Safe,
    role: StaffRole = StaffRole.SUPPORT,
) -> str:
    """Somebody new; what stands in their link; commit. Raises Conflict for who is there."""
    row = StaffRow(
        environment_id=scope.environment_id,
        email=plain_email(email),
        name=name,
        role=role,
        created_at=wall,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise Conflict(f"{email} is staff already: flask staff reset {email}") from error
    subject, told = f"staff:{row.id}", EventName.STAFF_ADDED
    record(session, scope, CLI, told, subject, wall, name=name, role=role)
    written = _link(session, row, wall, safe)
    session.commit()
    return written


def reset(session: Session, scope: Scope, email: str, wall: WallNow, safe: Safe) -> str:
    """What stands in a new link; all that let them in before ends at once; commit.

    Raises NotFound.
    """
    row = _locked(session, scope, email)
    _shut(session, row, wall)
    row.password_hash = row.encrypted = None
    record(session, scope, CLI, EventName.STAFF_RESET, f"staff:{row.id}", wall)
    written = _link(session, row, wall, safe)
    session.commit()
    return written


def change_role(session: Session, scope: Scope, email: str, role: StaffRole, wall: WallNow) -> None:
    """Let somebody do what the role may, from their next request on; commit. Raises NotFound."""
    row = _locked(session, scope, email)
    if row.role != role:
        row.role = role
        told = EventName.STAFF_ROLE_CHANGED
        record(session, scope, CLI, told, f"staff:{row.id}", wall, name=row.name, role=role)
    session.commit()


def end(session: Session, scope: Scope, email: str, wall: WallNow) -> None:
    """Let somebody in no more, at once; commit. Raises NotFound."""
    row = _locked(session, scope, email)
    _shut(session, row, wall)
    row.ended_at = wall
    record(session, scope, CLI, EventName.STAFF_ENDED, f"staff:{row.id}", wall)
    session.commit()


def staff_doer(actor: StaffActor) -> Doer:
    return Doer(f"staff:{actor.staff_id}", address=actor.address)


def staff_doer_about(actor: StaffActor, account_id: int) -> Doer:
    """The same, in what concerns one account: its members see it."""
    return replace(staff_doer(actor), account_id=account_id)


def owner_of(row: StaffRow) -> str:
    """Whose the secret of an authenticator is."""
    return f"{row.environment_id}:staff:{row.id}"


def _link(session: Session, row: StaffRow, wall: WallNow, safe: Safe) -> str:
    written = secrets.token_urlsafe(32)
    session.add(
        StaffLinkRow(
            environment_id=row.environment_id,
            staff_id=row.id,
            digest=digest_of(written),
            encrypted=safe.lock(pyotp.random_base32(), owner_of(row)),
            created_at=wall,
            expires_at=wall + LINK_LIFE,
        )
    )
    return written


def _shut(session: Session, row: StaffRow, wall: WallNow) -> None:
    """End sessions, and what was on its way to one; know them at no identity provider."""
    identity = StaffIdentityRow
    theirs = identity.environment_id == row.environment_id, identity.staff_id == row.id
    session.execute(delete(identity).where(*theirs))
    for table, ended in (
        (StaffSessionRow, StaffSessionRow.revoked_at),
        (StaffChallengeRow, StaffChallengeRow.used_at),
        (StaffLinkRow, StaffLinkRow.used_at),
    ):
        session.execute(
            update(table)
            .where(
                table.environment_id == row.environment_id,
                table.staff_id == row.id,
                ended.is_(None),
            )
            .values({ended: wall})
        )


def _locked(session: Session, scope: Scope, email: str) -> StaffRow:
    row = find_staff(session, scope, email)
    if row is not None:
        session.refresh(row, with_for_update=True)
    if row is None or row.ended_at is not None:
        raise NotFound(f"staff {email}")
    return row
