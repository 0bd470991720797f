"""Signing in: a password, then a code where the person has an authenticator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of, plain_email
from portal.domain.throttle import ADDRESS, CODE, DEVICE, EMAIL, PAIR, network_of
from portal.models.accounts import MembershipRow
from portal.models.sign_in import ChallengeRow
from portal.queries.persons import (
    find_challenge,
    find_person,
    first_membership,
    has_second_factor,
)
from portal.services.devices import is_known
from portal.services.passwords import is_right, renew, still_holds
from portal.services.recording import Doer, record
from portal.services.safekeeping import Safe
from portal.services.second_factor import accepts, is_of_authenticator
from portal.services.sessions import Entered, start
from portal.services.throttling import Paused, Refused, Watched, admit, forgive, watched

CHALLENGE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The password is right, and a code is wanted. challenge: what the browser shows with it."""

    challenge: str


def sign_in(
    session: Session, scope: Scope, email: str, password: str, origin: Origin, wall: WallNow
) -> Entered | CodeAsked | Refused | Paused:
    """What the right password opens; commit whatever comes of it.

    An unknown address is counted, takes as long and answers the same as a wrong password.
    """
    person = find_person(session, scope, email)
    membership = first_membership(session, scope, person) if person else None
    stored = person.password_hash if person and membership else None
    known = is_known(session, scope, person.id if person else 0, origin.device, wall)
    admitted = admit(session, scope, _tries(email, origin, known=known), wall)
    if isinstance(admitted, Paused):
        return admitted
    if (
        not is_right(stored, password)
        or person is None
        or membership is None
        or not still_holds(session, person, stored)
    ):
        subject = f"person:{person.id}" if person else "person:unknown"
        return refuse(session, scope, subject, membership, origin, wall, step="password")
    renew(person, password)
    forgive(session, scope, admitted)
    return let_in(session, scope, membership, origin, wall)


def let_in(
    session: Session, scope: Scope, membership: MembershipRow, origin: Origin, wall: WallNow,
    *, has_stepped: bool = False,
) -> Entered | CodeAsked:  # fmt: skip
    """A session for who has shown who they are, or the wish for a code of theirs; commit.

    has_stepped: the second step was shown elsewhere.
    """
    if has_stepped or not has_second_factor(session, scope, membership.person_id):
        return start(session, scope, membership, origin, wall)
    written = secrets.token_urlsafe(32)
    session.add(
        ChallengeRow(
            environment_id=scope.environment_id,
            person_id=membership.person_id,
            membership_id=membership.id,
            digest=digest_of(written),
            created_at=wall,
            expires_at=wall + CHALLENGE_LIFE,
        )
    )
    doer = Doer("anonymous", membership.account_id, address=origin.stored_address)
    subject = f"person:{membership.person_id}"
    record(session, scope, doer, EventName.CODE_ASKED, subject, wall)
    session.commit()
    return CodeAsked(written)


def enter_code(
    session: Session,
    scope: Scope,
    written: str,
    code: str,
    origin: Origin,
    wall: WallNow,
    safe: Safe,
) -> Entered | Refused | Paused | None:
    """What the right code opens, once; commit. None when the sign-in has to begin anew."""
    challenge = find_challenge(session, scope, written, wall)
    if challenge is None:
        return None
    person_id, membership_id = challenge.person_id, challenge.membership_id
    subject = f"person:{person_id}"
    known = is_known(session, scope, person_id, origin.device, wall)
    tried = watched(CODE, str(person_id), digest_of(origin.device) if known else "")
    admitted = admit(session, scope, [tried], wall)
    if isinstance(admitted, Paused):
        return admitted
    membership = session.get_one(MembershipRow, (scope.environment_id, membership_id))
    if not accepts(session, scope, person_id, code, wall, safe):
        return refuse(session, scope, subject, membership, origin, wall, step="code")
    if not _spend(session, scope, written, wall):
        session.rollback()
        return None
    if not is_of_authenticator(code):
        doer = Doer(subject, membership.account_id, person_id, address=origin.stored_address)
        record(session, scope, doer, EventName.RECOVERY_CODE_USED, subject, wall)
    forgive(session, scope, admitted)
    return start(session, scope, membership, origin, wall)


def refuse(
    session: Session,
    scope: Scope,
    subject: str,
    membership: MembershipRow | None,
    origin: Origin,
    wall: WallNow,
    step: str,
) -> Refused:
    """Record that a step of a sign-in failed; commit."""
    account_id = membership.account_id if membership else None
    doer = Doer("anonymous", account_id, address=origin.stored_address)
    record(session, scope, doer, EventName.SIGN_IN_FAILED, subject, wall, step=step)
    session.commit()
    return Refused()


def _spend(session: Session, scope: Scope, written: str, wall: WallNow) -> bool:
    """False when it was spent meanwhile."""
    row = session.scalar(
        select(ChallengeRow)
        .where(
            ChallengeRow.environment_id == scope.environment_id,
            ChallengeRow.digest == digest_of(written),
            ChallengeRow.used_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is not None:
        row.used_at = wall
    return row is not None


def _tries(email: str, origin: Origin, *, known: bool) -> list[Watched]:
    """What a password is counted on. known: this browser is, and strangers do not pause it."""
    plain, network = plain_email(email), network_of(origin.address)
    if known:
        return [watched(DEVICE, plain, digest_of(origin.device))]
    return [watched(PAIR, plain, network), watched(ADDRESS, network), watched(EMAIL, plain)]
