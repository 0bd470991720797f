"""Sessions: rows that begin with a sign-in, get another id now and then, and can be revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of
from portal.models.accounts import MembershipRow, SessionRow
from portal.queries.sessions import live_sessions, under_way
from portal.services.devices import forget_others, remember
from portal.services.recording import Doer, record
from portal.services.till import doer_of

ABSOLUTE_LIFE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Entered:
    """A session has begun. sid, device: what the browser's two cookies are to hold."""

    sid: str
    device: str


def start(
    session: Session, scope: Scope, membership: MembershipRow, origin: Origin, wall: WallNow
) -> Entered:
    """A session of somebody who has shown who they are; commit."""
    sid, person_id = secrets.token_urlsafe(32), membership.person_id
    place = origin.place(wall)
    row = SessionRow(
        environment_id=scope.environment_id,
        sid_digest=digest_of(sid),
        person_id=person_id,
        membership_id=membership.id,
        created_at=wall,
        last_seen_at=wall,
        expires_at=wall + ABSOLUTE_LIFE,
        address=place.address,
        user_agent=place.user_agent,
    )
    session.add(row)
    session.flush()
    device = remember(session, scope, person_id, origin.device, wall)
    name, account_id = f"person:{person_id}", membership.account_id
    doer = Doer(name, account_id, person_id, address=place.address)
    record(session, scope, doer, EventName.SESSION_STARTED, f"session:{row.id}", wall)
    session.commit()
    return Entered(sid, device)


def rotate(session: Session, scope: Scope, session_id: int) -> str:
    """Another id for a session, as its rights change: the cookie before is worth nothing."""
    sid = secrets.token_urlsafe(32)
    mine = SessionRow.environment_id == scope.environment_id, SessionRow.id == session_id
    session.execute(update(SessionRow).where(*mine).values(sid_digest=digest_of(sid)))
    return sid


def renew(session: Session, scope: Scope, sid: str) -> str | None:
    """Another id in place of this one; commit. None where another request did that before."""
    fresh = secrets.token_urlsafe(32)
    mine = (
        SessionRow.environment_id == scope.environment_id,
        SessionRow.sid_digest == digest_of(sid),
    )
    changed = update(SessionRow).where(*mine).values(sid_digest=digest_of(fresh))
    is_first = session.scalar(changed.returning(SessionRow.id)) is not None
    session.commit()
    return fresh if is_first else None


def move(session: Session, actor: Actor, session_id: int, membership_id: int, wall: WallNow) -> str:
    """Let a session go on in another of the person's accounts, under another id; commit.

    Raises NotFound for a membership of somebody else.
    """
    actor.require(Permission.SELF_UPDATE)
    theirs = select(MembershipRow).where(
        MembershipRow.environment_id == actor.environment_id,
        MembershipRow.id == membership_id,
        MembershipRow.person_id == actor.person_id,
    )
    membership = session.scalar(theirs.with_for_update(read=True, key_share=True))
    if membership is None:
        raise NotFound("membership")
    mine = SessionRow.environment_id == actor.environment_id, SessionRow.id == session_id
    session.execute(update(SessionRow).where(*mine).values(membership_id=membership.id))
    sid = rotate(session, actor.scope, session_id)
    doer = replace(doer_of(actor), account_id=membership.account_id)
    record(session, actor.scope, doer, EventName.SESSION_MOVED, f"session:{session_id}", wall)
    session.commit()
    return sid


def sign_out(session: Session, scope: Scope, sid: str, wall: WallNow) -> None:
    """Revoke the session; an unknown or ended one is left as it is; commit."""
    row = session.scalar(
        select(SessionRow).where(
            SessionRow.environment_id == scope.environment_id,
            SessionRow.sid_digest == digest_of(sid),
            *under_way(wall),
        )
    )
    if row is not None:
        row.revoked_at = wall
        membership = session.get_one(MembershipRow, (scope.environment_id, row.membership_id))
        name, account_id = f"person:{row.person_id}", membership.account_id
        doer = Doer(name, account_id, row.person_id, address=row.address)
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


def revoke(session: Session, actor: Actor, session_id: int, wall: WallNow) -> bool:
    """End one of the person's own sessions; commit. False when it is over, or somebody else's."""
    actor.require(Permission.SELF_UPDATE)
    ended = end(session, actor, wall, SessionRow.id == session_id)
    session.commit()
    return ended > 0


def revoke_others(
    session: Session, actor: Actor, session_id: int, device: str, wall: WallNow
) -> int:
    """End all of the person's sessions but this one, and know no other browser; commit."""
    actor.require(Permission.SELF_UPDATE)
    ended = end(session, actor, wall, SessionRow.id != session_id)
    forget_others(session, actor.scope, actor.person_id, device)
    session.commit()
    return ended


def end(session: Session, actor: Actor, wall: WallNow, *which: object) -> int:
    """Revoke sessions of the person that are under way; how many."""
    rows = session.scalars(live_sessions(actor.scope, actor.person_id, wall).where(*which))  # type: ignore[arg-type]
    doer, told = doer_of(actor), 0
    for row in rows:
        row.revoked_at, told = wall, told + 1
        record(session, actor.scope, doer, EventName.SESSION_REVOKED, f"session:{row.id}", wall)
    return told
