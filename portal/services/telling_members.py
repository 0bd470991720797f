"""Mails to owners, and to whom it is about, when the members of an account change."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.member_notices import MemberGone, MemberJoined, RoleChanged
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.services.mailing import post, post_to


def role_changed(
    session: Session, actor: Actor, row: MembershipRow, before: Role, wall: WallNow
) -> None:
    """row: as it is now."""
    name, by, account = _names(session, row, actor)
    after = Role(row.role)
    told = RoleChanged(row.id, name, by, account, before, after, wall, is_own=False)
    _tell(session, actor.scope, row, told)


def gone(session: Session, actor: Actor, row: MembershipRow, wall: WallNow) -> None:
    """row: of a membership that is about to be deleted."""
    name, by, account = _names(session, row, actor)
    removed = "" if actor.person_id == row.person_id else by
    told = MemberGone(row.id, name, removed, account, wall, is_own=False)
    _tell(session, actor.scope, row, told)


def joined(session: Session, scope: Scope, row: MembershipRow, wall: WallNow) -> None:
    """Owners alone: who joined knows."""
    person = session.get_one(PersonRow, (scope.environment_id, row.person_id))
    account = session.get_one(AccountRow, (scope.environment_id, row.account_id)).name
    told = MemberJoined(row.id, person.name, person.email, account, Role(row.role), wall)
    post(session, scope, row.account_id, told)


def _tell(
    session: Session, scope: Scope, row: MembershipRow, told: RoleChanged | MemberGone
) -> None:
    """Each owner, and the person in words of their own; who left by themselves knows it."""
    own = replace(told, is_own=True)
    for person_id in sorted({*_owners(session, row), row.person_id}):
        if person_id != row.person_id:
            post_to(session, scope, row.account_id, person_id, told)
        elif told.by:
            post_to(session, scope, row.account_id, person_id, own)


def _owners(session: Session, row: MembershipRow) -> list[int]:
    found = select(MembershipRow.person_id).where(
        MembershipRow.environment_id == row.environment_id,
        MembershipRow.account_id == row.account_id,
        MembershipRow.role == Role.OWNER,
    )
    return list(session.scalars(found))


def _names(session: Session, row: MembershipRow, actor: Actor) -> tuple[str, str, str]:
    """Of who it is about, of who did it, and of the account."""
    environment_id = row.environment_id
    person = session.get_one(PersonRow, (environment_id, row.person_id))
    doer = session.get_one(PersonRow, (environment_id, actor.person_id))
    account = session.get_one(AccountRow, (environment_id, row.account_id))
    return person.name, doer.name, account.name
