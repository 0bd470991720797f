"""Members of staff: added, given links that set both steps of their sign-in, and ended."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Scope, StaffActor, StaffRole
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.domain.support import EndCause
from portal.models.identities import StaffIdentityRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow, StaffRow, StaffSessionRow
from portal.models.support import SupportSessionRow
from portal.queries.staff import find_staff
from portal.queries.support import open_views
from portal.services.recording import CLI, Doer, record
from portal.services.safekeeping import Safe
from portal.services.support_endings import end_view

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
    _shut(session, scope, row, wall)
    row.password_hash = row.encrypted = None
    record(session, scope, CLI, EventName.STAFF_RESET, f"staff:{row.id}", wall)
    written = _link(session, row, wall, safe)
    session.commit()
    return written


def change_role(session: Session, scope: Scope, email: str, role: StaffRole, wall: WallNow) -> bool:
    """Let somebody do what the role may, once they sign in anew; whether it is another one; commit.

    Their sessions end with the old role, and what they look at. Raises NotFound.
    """
    row = _locked(session, scope, email)
    is_another = row.role != role
    if is_another:
        _sign_out(session, scope, row, wall)
        row.role = role
        told = EventName.STAFF_ROLE_CHANGED
        record(session, scope, CLI, told, f"staff:{row.id}", wall, name=row.name, role=role)
    session.commit()
    return is_another


def end(session: Session, scope: Scope, email: str, wall: WallNow) -> None:
    """Let somebody in no more, at once; commit. Raises NotFound."""
    row = _locked(session, scope, email)
    _shut(session, scope, row, wall)
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


def _sign_out(session: Session, scope: Scope, row: StaffRow, wall: WallNow) -> None:
    """End their sessions, and first the support views that these are looking with."""
    looking = open_views(scope).where(SupportSessionRow.staff_id == row.id)
    for found in session.execute(looking.with_for_update(of=SupportSessionRow)):
        end_view(session, scope, found[0], row.name, EndCause.SIGNED_OUT, wall)
    _void(session, row, StaffSessionRow, StaffSessionRow.revoked_at, wall)


def _shut(session: Session, scope: Scope, row: StaffRow, wall: WallNow) -> None:
    """End sessions, and what was on its way to one; know them at no identity provider."""
    _sign_out(session, scope, row, wall)
    identity = StaffIdentityRow
    theirs = identity.environment_id == row.environment_id, identity.staff_id == row.id
    session.execute(delete(identity).where(*theirs))
    _void(session, row, StaffChallengeRow, StaffChallengeRow.used_at, wall)
    _void(session, row, StaffLinkRow, StaffLinkRow.used_at, wall)


def _void(session: Session, row: StaffRow, table: Any, ended: Any, wall: WallNow) -> None:
    """Theirs of this table open nothing from now on. ended: its column that says so."""
    theirs = table.environment_id == row.environment_id, table.staff_id == row.id
    session.execute(update(table).where(*theirs, ended.is_(None)).values({ended: wall}))


def _locked(session: Session, scope: Scope, email: str) -> StaffRow:
    row = find_staff(session, scope, email)
    if row is not None:
        session.refresh(row, with_for_update=True)
    if row is None or row.ended_at is not None:
        raise NotFound(f"staff {email}")
    return row
