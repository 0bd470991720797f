"""Staff sign in: a password, then always a code; or a link that sets both, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.passwords import Weakness
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of, plain_email
from portal.domain.throttle import ADDRESS, CODE, EMAIL, PAIR, network_of
from portal.models.staff import StaffChallengeRow, StaffLinkRow, StaffRow, StaffSessionRow
from portal.queries.staff import (
    StaffMember,
    find_staff,
    find_staff_challenge,
    find_staff_link,
)
from portal.services.passwords import hash_password, is_right, renew, still_holds, weakness_of
from portal.services.recording import Doer, record
from portal.services.recovery_codes import plain_code
from portal.services.safekeeping import Safe
from portal.services.second_factor import step_of
from portal.services.sessions import TOUCH_EVERY
from portal.services.sign_in import CHALLENGE_LIFE, CodeAsked
from portal.services.staff import owner_of, staff_doer
from portal.services.throttling import Paused, Refused, Watched, admit, forgive, watched

log = structlog.get_logger()
ABSOLUTE_LIFE = timedelta(hours=8)
STAFF = "staff"


@dataclass(frozen=True, slots=True)
class StaffEntered:
    """A session has begun. sid: what the browser's cookie is to hold."""

    sid: str


def sign_in(
    session: Session, scope: Scope, email: str, password: str, origin: Origin, wall: WallNow
) -> CodeAsked | Refused | Paused:
    """The wish for a code, after the right password; commit whatever comes of it.

    An unknown address is counted, takes as long and answers the same as a wrong password.
    """
    row = find_staff(session, scope, email)
    stored = row.password_hash if row else None
    admitted = admit(session, scope, _tries(email, origin), wall)
    if isinstance(admitted, Paused):
        return admitted
    if not is_right(stored, password) or row is None:
        return refuse(session, scope, str(row.id if row else "unknown"), origin, wall, "password")
    if not still_holds(session, row, stored) or row.ended_at is not None:
        return refuse(session, scope, str(row.id), origin, wall, "password")
    renew(row, password)
    forgive(session, scope, admitted)
    return ask_code(session, row, wall)


def enter_code(
    session: Session,
    scope: Scope,
    written: str,
    code: str,
    origin: Origin,
    wall: WallNow,
    safe: Safe,
) -> StaffEntered | Refused | Paused | None:
    """What the right code opens, once; commit. None when the sign-in has to begin anew."""
    challenge = find_staff_challenge(session, scope, written, wall)
    if challenge is None:
        return None
    staff_id = challenge.staff_id
    admitted = admit(session, scope, [watched(CODE, STAFF, str(staff_id))], wall)
    if isinstance(admitted, Paused):
        return admitted
    row = _locked(session, scope, staff_id)
    session.refresh(challenge)
    if challenge.used_at is not None:
        session.rollback()
        return None
    step = _step(row, row.encrypted, code, wall, safe)
    if step is None:
        return refuse(session, scope, str(staff_id), origin, wall, "code")
    row.last_step, challenge.used_at = step, wall
    forgive(session, scope, admitted)
    return start(session, scope, row, origin, wall, wall)


def prove_code(
    session: Session, who: StaffMember, code: str, origin: Origin, wall: WallNow, safe: Safe
) -> Refused | Paused | None:
    """Somebody who is in shows a code again; None for a right one, which is good once; commit.

    From now on their session counts as proved, as after a sign-in. Source: ADR 0033.
    """
    scope, staff_id = who.actor.scope, who.actor.staff_id
    admitted = admit(session, scope, [watched(CODE, STAFF, str(staff_id))], wall)
    if isinstance(admitted, Paused):
        return admitted
    row = _locked(session, scope, staff_id)
    step = _step(row, row.encrypted, code, wall, safe)
    if step is None:
        return refuse(session, scope, str(staff_id), origin, wall, "proof")
    row.last_step = step
    session.get_one(StaffSessionRow, (scope.environment_id, who.session_id)).proved_at = wall
    forgive(session, scope, admitted)
    session.commit()
    return None


def offered(row: StaffRow, link: StaffLinkRow, safe: Safe) -> str | None:
    """The secret that a link offers; None when another SECRET_KEY made it."""
    return safe.open(link.encrypted, owner_of(row))


def set_up(
    session: Session,
    scope: Scope,
    written: str,
    password: str,
    code: str,
    origin: Origin,
    wall: WallNow,
    safe: Safe,
) -> StaffEntered | Weakness | Refused | None:
    """Set both steps with a link, and begin a session, as both were shown; commit.

    None when the link is spent, over or none of ours. Two at once: one of them sets it.
    """
    found = find_staff_link(session, scope, written, wall)
    if found is None:
        return None
    link, row = found
    if (weak := weakness_of(session, scope, password, row.email)) is not None:
        return weak
    hashed = hash_password(password)
    session.refresh(row, with_for_update=True)
    session.refresh(link)
    if link.used_at is not None:
        session.rollback()
        return None
    step = _step(row, link.encrypted, code, wall, safe)
    if step is None:
        return refuse(session, scope, str(row.id), origin, wall, "set_up")
    row.password_hash, row.encrypted, row.last_step = hashed, link.encrypted, step
    link.used_at = wall
    note(session, scope, row, EventName.STAFF_SET_UP, f"staff:{row.id}", origin, wall)
    return start(session, scope, row, origin, wall, wall)


def sign_out(session: Session, who: StaffMember, wall: WallNow) -> None:
    """Revoke the session; commit."""
    scope = who.actor.scope
    row = session.get_one(StaffSessionRow, (scope.environment_id, who.session_id))
    row.revoked_at = wall
    subject = f"staff_session:{row.id}"
    record(session, scope, staff_doer(who.actor), EventName.SESSION_ENDED, subject, wall)
    session.commit()


def touch(session: Session, who: StaffMember, wall: WallNow) -> None:
    """Note that a session is in use, at most once a minute; commit."""
    if wall - TOUCH_EVERY > who.seen_at:
        row = StaffSessionRow
        mine = row.environment_id == who.actor.scope.environment_id, row.id == who.session_id
        session.execute(update(row).where(*mine).values(last_seen_at=wall))
        session.commit()


def ask_code(session: Session, row: StaffRow, wall: WallNow) -> CodeAsked:
    """The wish for a code of who has shown the first step; commit."""
    written = secrets.token_urlsafe(32)
    session.add(
        StaffChallengeRow(
            environment_id=row.environment_id,
            staff_id=row.id,
            digest=digest_of(written),
            created_at=wall,
            expires_at=wall + CHALLENGE_LIFE,
        )
    )
    session.commit()
    return CodeAsked(written)


def start(
    session: Session,
    scope: Scope,
    row: StaffRow,
    origin: Origin,
    wall: WallNow,
    proved_at: WallNow | None,
) -> StaffEntered:
    """A session of somebody who has shown both steps; commit. proved_at: when they did."""
    sid, place = secrets.token_urlsafe(32), origin.place(wall)
    begun = StaffSessionRow(
        environment_id=scope.environment_id,
        staff_id=row.id,
        sid_digest=digest_of(sid),
        created_at=wall,
        proved_at=proved_at,
        last_seen_at=wall,
        expires_at=wall + ABSOLUTE_LIFE,
        address=place.address,
        user_agent=place.user_agent,
    )
    session.add(begun)
    session.flush()
    subject = f"staff_session:{begun.id}"
    note(session, scope, row, EventName.SESSION_STARTED, subject, origin, wall)
    session.commit()
    return StaffEntered(sid)


def note(
    session: Session,
    scope: Scope,
    row: StaffRow,
    told: EventName,
    subject: str,
    origin: Origin,
    wall: WallNow,
) -> None:
    """What somebody of the staff did before their session was there."""
    doer = Doer(f"staff:{row.id}", address=origin.stored_address)
    record(session, scope, doer, told, subject, wall)


def _step(row: StaffRow, encrypted: str | None, code: str, wall: WallNow, safe: Safe) -> int | None:
    """The step of a right code that was not used before; None for a wrong one."""
    secret = safe.open(encrypted, owner_of(row)) if encrypted else None
    if secret is None:
        log.warning("second_factor_unreadable", staff_id=row.id)
        return None
    return step_of(secret, plain_code(code), row.last_step, wall)


def refuse(
    session: Session, scope: Scope, whose: str, origin: Origin, wall: WallNow, step: str
) -> Refused:
    """Record that a step failed; commit."""
    doer = Doer("anonymous", address=origin.stored_address)
    record(session, scope, doer, EventName.SIGN_IN_FAILED, f"staff:{whose}", wall, step=step)
    session.commit()
    return Refused()


def _locked(session: Session, scope: Scope, staff_id: int) -> StaffRow:
    mine = StaffRow.environment_id == scope.environment_id, StaffRow.id == staff_id
    found = select(StaffRow).where(*mine).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).one()


def _tries(email: str, origin: Origin) -> list[Watched]:
    """What a password is counted on: apart from members' tries."""
    plain, network = plain_email(email), network_of(origin.address)
    return [
        watched(PAIR, STAFF, plain, network),
        watched(ADDRESS, STAFF, network),
        watched(EMAIL, STAFF, plain),
    ]
