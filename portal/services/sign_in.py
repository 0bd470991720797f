"""Signing in and out: passwords, and sessions as rows that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.accounts import MembershipRow, PersonRow, SessionRow
from portal.services.recording import Doer, record

ABSOLUTE_LIFE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    address: str
    user_agent: str


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def digest_of(sid: str) -> str:
    """How a session id is stored."""
    return hashlib.sha256(sid.encode()).hexdigest()


def sign_in(
    session: Session, scope: Scope, email: str, password: str, origin: Origin, wall: WallNow
) -> str | None:
    """A new session's id for the right password, else None; commit either way.

    An unknown address takes as long and answers the same as a wrong password.
    """
    person = _find_person(session, scope, email)
    membership = _first_membership(session, scope, person) if person else None
    if not _is_right(person, password) or person is None or membership is None:
        doer = Doer("anonymous", membership.account_id if membership else None)
        subject = f"person:{person.id}" if person else "person:unknown"
        record(session, scope, doer, EventName.SIGN_IN_FAILED, subject, wall)
        session.commit()
        return None
    if person.password_hash and _hasher.check_needs_rehash(person.password_hash):
        person.password_hash = _hasher.hash(password)
    return start(session, scope, person, membership, origin, wall)


def sign_out(session: Session, scope: Scope, sid: str, wall: WallNow) -> None:
    """Revoke the session; an unknown or ended one is left as it is."""
    row = session.scalar(
        select(SessionRow).where(
            SessionRow.environment_id == scope.environment_id,
            SessionRow.sid_digest == digest_of(sid),
            SessionRow.revoked_at.is_(None),
        )
    )
    if row is not None:
        row.revoked_at = wall
        membership = session.get_one(MembershipRow, (scope.environment_id, row.membership_id))
        doer = Doer(f"person:{row.person_id}", membership.account_id, row.person_id)
        record(session, scope, doer, EventName.SESSION_ENDED, f"session:{row.id}", wall)
    session.commit()


def touch(session: Session, scope: Scope, session_id: int, seen_at: WallNow, wall: WallNow) -> None:
    """Note that a session is in use, at most once a minute; commit."""
    if wall - TOUCH_EVERY > seen_at:
        session.execute(
            update(SessionRow)
            .where(SessionRow.environment_id == scope.environment_id, SessionRow.id == session_id)
            .values(last_seen_at=wall)
        )
        session.commit()


def start(
    session: Session,
    scope: Scope,
    person: PersonRow,
    membership: MembershipRow,
    origin: Origin,
    wall: WallNow,
) -> str:
    """A session of somebody who has shown who they are: its id; commit."""
    sid = secrets.token_urlsafe(32)
    row = SessionRow(
        environment_id=scope.environment_id,
        sid_digest=digest_of(sid),
        person_id=person.id,
        membership_id=membership.id,
        created_at=wall,
        last_seen_at=wall,
        expires_at=wall + ABSOLUTE_LIFE,
        address=origin.address[:45],
        user_agent=origin.user_agent[:255],
    )
    session.add(row)
    session.flush()
    doer = Doer(f"person:{person.id}", membership.account_id, person.id)
    record(session, scope, doer, EventName.SESSION_STARTED, f"session:{row.id}", wall)
    session.commit()
    return sid


def _find_person(session: Session, scope: Scope, email: str) -> PersonRow | None:
    return session.scalar(
        select(PersonRow).where(
            PersonRow.environment_id == scope.environment_id,
            func.lower(PersonRow.email) == email.strip().lower(),
        )
    )


def _first_membership(session: Session, scope: Scope, person: PersonRow) -> MembershipRow | None:
    return session.scalar(
        select(MembershipRow)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.person_id == person.id,
        )
        .order_by(MembershipRow.id)
        .limit(1)
    )


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def _is_right(person: PersonRow | None, password: str) -> bool:
    stored = person.password_hash if person and person.password_hash else _nobodys_hash()
    try:
        return _hasher.verify(stored, password) and person is not None
    except (VerificationError, InvalidHashError):
        return False
