"""Members come in by an identity provider, and link one to their sign-in, or unlink it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Permission, Scope
from portal.domain.events import EventName
from portal.domain.identities import Identity
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin
from portal.domain.sign_in_notices import IdentitySwitched
from portal.models.accounts import MembershipRow, PersonRow, SessionRow
from portal.models.identities import IdentityRow
from portal.queries.identities import find_linked_person, is_linked
from portal.queries.persons import find_person, first_membership, has_second_factor
from portal.services.mailing import post_to
from portal.services.proving import Visit, end_challenges
from portal.services.recording import Doer, record
from portal.services.safekeeping import Safe
from portal.services.second_factor import prove_all
from portal.services.sessions import Entered, end, rotate
from portal.services.sign_in import CodeAsked, let_in, refuse
from portal.services.throttling import Paused, Refused


@dataclass(frozen=True, slots=True)
class Switched:
    """sid: the session's new id."""

    sid: str


@dataclass(frozen=True, slots=True)
class AnothersIdentity:
    """It lets in somebody else, or the person has another one at this provider."""


def enter(
    session: Session, scope: Scope, identity: Identity, label: str, origin: Origin, wall: WallNow
) -> Entered | CodeAsked | Refused:
    """What an identity opens; commit. Source: ADR 0027."""
    person = find_linked_person(session, scope, identity)
    if person is None:
        person = _first_time(session, scope, identity, label, origin, wall)
    membership = first_membership(session, scope, person) if person else None
    if person is None or membership is None:
        session.rollback()
        known = find_person(session, scope, identity.email) if identity.email else None
        theirs = first_membership(session, scope, known) if known else None
        subject = f"person:{known.id}" if known else "person:unknown"
        return refuse(session, scope, subject, theirs, origin, wall, step="provider")
    note(session, scope, membership, EventName.IDENTITY_USED, origin, wall)
    return let_in(session, scope, membership, origin, wall, has_stepped=identity.has_stepped)


def link(visit: Visit, identity: Identity, label: str) -> Switched | AnothersIdentity:
    """Let the provider sign in who is signed in, and has shown who they are; commit.

    Raises Forbidden.
    """
    visit.actor.require(Permission.SELF_UPDATE)
    session, scope, person_id = visit.session, visit.scope, visit.actor.person_id
    session.add(new_row(scope, person_id, identity, visit.wall))
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        return AnothersIdentity()
    visit.record(EventName.IDENTITY_LINKED)
    visit.tell(IdentitySwitched(person_id, label, visit.place, is_linked=True))
    sid = rotate(session, scope, visit.session_id)
    session.commit()
    return Switched(sid)


def unlink(
    visit: Visit, issuer: str, label: str, password: str, code: str, safe: Safe
) -> Switched | Refused | Paused | None:
    """Let the provider sign the person in no more, and end their other sessions; commit.

    The password that it takes stays as a way in. code: asked of who has a second step. None when
    nothing is linked. Raises Forbidden.
    """
    outcome = prove_all(visit, password, code, safe)
    if isinstance(outcome, Refused | Paused):
        return outcome
    session, scope, actor = visit.session, visit.scope, visit.actor
    mine = (
        IdentityRow.environment_id == scope.environment_id,
        IdentityRow.person_id == actor.person_id,
        IdentityRow.issuer == issuer,
    )
    if not session.scalars(delete(IdentityRow).where(*mine).returning(IdentityRow.id)).all():
        session.commit()
        return None
    end_challenges(session, scope, actor.person_id, visit.wall)
    end(session, actor, visit.wall, SessionRow.id != visit.session_id)
    visit.record(EventName.IDENTITY_UNLINKED)
    visit.tell(IdentitySwitched(actor.person_id, label, visit.place, is_linked=False))
    sid = rotate(session, scope, visit.session_id)
    session.commit()
    return Switched(sid)


def _first_time(
    session: Session, scope: Scope, identity: Identity, label: str, origin: Origin, wall: WallNow
) -> PersonRow | None:
    """Who has the verified address and no way in of their own, linked from now on; else None."""
    person = find_person(session, scope, identity.email) if identity.email else None
    if person is None:
        return None
    session.refresh(person, with_for_update=True)
    if linked := find_linked_person(session, scope, identity):  # two at once
        return linked
    membership = first_membership(session, scope, person)
    has_own_way = person.password_hash is not None or has_second_factor(session, scope, person.id)
    if membership is None or has_own_way or is_linked(session, scope, person.id, identity.issuer):
        return None
    session.add(new_row(scope, person.id, identity, wall))
    try:
        session.flush()
    except IntegrityError:  # somebody else has linked it meanwhile
        session.rollback()
        return find_linked_person(session, scope, identity)
    note(session, scope, membership, EventName.IDENTITY_LINKED, origin, wall)
    notice = IdentitySwitched(person.id, label, origin.place(wall), is_linked=True)
    post_to(session, scope, membership.account_id, person.id, notice)
    return person


def new_row(scope: Scope, person_id: int, identity: Identity, wall: WallNow) -> IdentityRow:
    return IdentityRow(
        environment_id=scope.environment_id,
        person_id=person_id,
        issuer=identity.issuer,
        subject=identity.subject,
        created_at=wall,
    )


def note(
    session: Session, scope: Scope, membership: MembershipRow, event: EventName, origin: Origin,
    wall: WallNow,
) -> None:  # fmt: skip
    """What somebody did before their session was there."""
    name, account_id = f"person:{membership.person_id}", membership.account_id
    doer = Doer(name, account_id, membership.person_id, address=origin.stored_address)
    record(session, scope, doer, event, name, wall)
