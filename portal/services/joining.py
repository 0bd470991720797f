"""An invitation is accepted, once, and only by whom it was sent to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Permission, Scope
from portal.domain.events import EventName
from portal.domain.identities import Identity
from portal.domain.passwords import Weakness
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, plain_email
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.invitations import InvitationRow
from portal.queries.identities import is_linked
from portal.queries.invitations import good_invitation, is_known
from portal.queries.persons import has_second_factor
from portal.services import telling_members
from portal.services.devices import forget_others
from portal.services.identities import new_row, note
from portal.services.passwords import hash_password, weakness_of
from portal.services.proving import Visit
from portal.services.recording import Doer, record
from portal.services.sessions import Entered, move
from portal.services.sign_in import CodeAsked, let_in


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody says of themselves who cannot sign in yet. locale: of the page they see."""

    name: str
    password: str
    locale: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A member now, and the session is of that account. sid: its new id."""

    sid: str


@dataclass(frozen=True, slots=True)
class NotTheirs:
    """The invitation is for somebody else, and stays good."""


@dataclass(frozen=True, slots=True)
class SignInFirst:
    """The address is of somebody who can sign in, and has to."""


def accept(visit: Visit, written: str) -> Joined | NotTheirs | None:
    """Make who is signed in a member, and let their session go on there; commit.

    None when the link is spent or over. Raises Forbidden.
    """
    visit.actor.require(Permission.SELF_UPDATE)
    session = visit.session
    row = _locked(session, visit.scope, written, visit.wall)
    if row is None or plain_email(row.email) != plain_email(visit.person().email):
        session.rollback()
        return None if row is None else NotTheirs()
    membership = _join(session, visit.scope, row, visit.actor.person_id, visit.origin, visit.wall)
    return Joined(move(session, visit.actor, visit.session_id, membership.id, visit.wall))


def join(
    session: Session, scope: Scope, written: str, who: Newcomer, origin: Origin, wall: WallNow
) -> Entered | CodeAsked | Weakness | SignInFirst | None:
    """Make somebody a member who cannot sign in yet, with a password of theirs; commit.

    None when the link is spent or over. Two at once: one of them joins.
    """
    found = session.scalar(good_invitation(scope, written, wall))
    if found is None:
        return None
    weak = weakness_of(session, scope, who.password, found.email)
    if weak is not None:
        return weak
    hashed = hash_password(who.password)
    row = _locked(session, scope, written, wall)
    if row is None:
        session.rollback()
        return None
    person = _person(session, scope, row.email, who)
    if is_known(session, scope, row.email):
        session.rollback()
        return SignInFirst()
    person.name, person.locale, person.password_hash = who.name, who.locale, hashed
    forget_others(session, scope, person.id, "")
    membership = _join(session, scope, row, person.id, origin, wall)
    return let_in(session, scope, membership, origin, wall)


def join_vouched(
    session: Session, scope: Scope, written: str, identity: Identity, locale: str, origin: Origin,
    wall: WallNow,
) -> Entered | CodeAsked | None:  # fmt: skip
    """Make a newcomer a member whom a provider vouches for, without a password; commit.

    None when the link is spent, over or for another address, and for who is known already or has
    a second step: they sign in first.
    """
    row = _locked(session, scope, written, wall)
    if row is None or plain_email(row.email) != plain_email(identity.email):
        session.rollback()
        return None
    name = identity.name or row.email.partition("@")[0]
    person = _person(session, scope, row.email, Newcomer(name, "", locale))
    knows = is_known(session, scope, row.email) or has_second_factor(session, scope, person.id)
    if knows or is_linked(session, scope, person.id, identity.issuer):
        session.rollback()
        return None
    session.add(new_row(scope, person.id, identity, wall))
    try:
        session.flush()
    except IntegrityError:  # it is somebody else's
        session.rollback()
        return None
    person.name, person.locale, person.password_hash = name, locale, None
    forget_others(session, scope, person.id, "")
    membership = _join(session, scope, row, person.id, origin, wall)
    note(session, scope, membership, EventName.IDENTITY_LINKED, origin, wall)
    return let_in(session, scope, membership, origin, wall, has_stepped=identity.has_stepped)


def _locked(session: Session, scope: Scope, written: str, wall: WallNow) -> InvitationRow | None:
    return session.scalar(
        good_invitation(scope, written, wall)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _person(session: Session, scope: Scope, email: str, who: Newcomer) -> PersonRow:
    """Locked, so that two invitations of one address take turns; made where unknown."""
    new = insert(PersonRow).values(
        environment_id=scope.environment_id, email=email, name=who.name, locale=who.locale
    )
    session.execute(new.on_conflict_do_nothing())
    same = func.lower(PersonRow.email) == plain_email(email)
    return session.scalars(
        select(PersonRow)
        .where(PersonRow.environment_id == scope.environment_id, same)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _join(
    session: Session, scope: Scope, row: InvitationRow, person_id: int, origin: Origin,
    wall: WallNow,
) -> MembershipRow:  # fmt: skip
    """Their membership, which keeps its role where it is there already; the link is spent."""
    mine = {
        "environment_id": scope.environment_id,
        "account_id": row.account_id,
        "person_id": person_id,
    }
    made = insert(MembershipRow).values(**mine, role=row.role).on_conflict_do_nothing()
    joined = session.scalar(made.returning(MembershipRow.id)) is not None
    membership = session.scalars(select(MembershipRow).filter_by(**mine)).one()
    if joined:
        who = f"person:{person_id}"
        doer = Doer(who, row.account_id, person_id, address=origin.stored_address)
        detail = {"role": row.role, "invitation_id": row.id}
        record(session, scope, doer, EventName.MEMBER_JOINED, who, wall, **detail)
        telling_members.joined(session, scope, membership, wall)
    session.delete(row)
    session.flush()
    return membership
