"""Members of an account: other roles, removal, leaving; an account always keeps an owner."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from portal.domain.access import INVITERS, Actor, Permission, Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, SessionRow
from portal.models.keys import SignInLinkRow
from portal.models.sign_in import ChallengeRow
from portal.services import telling_members
from portal.services.recording import record
from portal.services.till import doer_of
from portal.services.uninviting import drop_those_of


@dataclass(frozen=True, slots=True)
class LastOwner:
    """Nothing was done: the account would have no owner."""


def change_role(
    session: Session, actor: Actor, membership_id: int, role: Role, wall: WallNow
) -> LastOwner | None:
    """Give a member another role, which holds from their next request on; commit.

    Raises Forbidden, and NotFound for who is no member of the account.
    """
    lock_as_owner(session, actor)
    row = _member(session, actor, MembershipRow.id == membership_id)
    if role is not Role.OWNER and _is_last_owner(session, row):
        session.rollback()
        return LastOwner()
    before, row.role = row.role, role
    if before != role:
        told, subject = EventName.MEMBER_ROLE_CHANGED, f"person:{row.person_id}"
        record(session, actor.scope, doer_of(actor), told, subject, wall, before=before, after=role)
        telling_members.role_changed(session, actor, row, Role(before), wall)
        if role not in INVITERS:
            drop_those_of(session, actor, row.person_id, wall)
    session.commit()
    return None


def remove(session: Session, actor: Actor, membership_id: int, wall: WallNow) -> LastOwner | None:
    """End a membership and its sessions; commit. Raises as `change_role`."""
    lock_as_owner(session, actor)
    return _end(session, actor, MembershipRow.id == membership_id, EventName.MEMBER_REMOVED, wall)


def leave(session: Session, actor: Actor, wall: WallNow) -> LastOwner | None:
    """End one's own membership; commit. Raises NotFound for who has been removed meanwhile."""
    actor.require(Permission.SELF_UPDATE)
    _lock(session, actor)
    mine = MembershipRow.person_id == actor.person_id
    return _end(session, actor, mine, EventName.MEMBER_LEFT, wall)


def lock_as_owner(session: Session, actor: Actor) -> None:
    """Let one at a time change an account's members, and only who may at that moment.

    Raises Forbidden also for who has lost the right since their request began.
    """
    actor.require(Permission.MEMBERS_UPDATE)
    _lock(session, actor)
    row = _member(session, actor, MembershipRow.person_id == actor.person_id)
    if row.role != actor.role:
        raise Forbidden(Permission.MEMBERS_UPDATE)


def _lock(session: Session, actor: Actor) -> None:
    session.get_one(
        AccountRow,
        (actor.environment_id, actor.account_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def _member(session: Session, actor: Actor, which: ColumnElement[bool]) -> MembershipRow:
    """Locked, as it is now. Raises NotFound for who is no member of the account."""
    row = session.scalar(
        select(MembershipRow)
        .where(
            MembershipRow.environment_id == actor.environment_id,
            MembershipRow.account_id == actor.account_id,
            which,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("member")
    return row


def _is_last_owner(session: Session, row: MembershipRow) -> bool:
    owners = session.scalar(
        select(func.count())
        .select_from(MembershipRow)
        .where(
            MembershipRow.environment_id == row.environment_id,
            MembershipRow.account_id == row.account_id,
            MembershipRow.role == Role.OWNER,
        )
    )
    return row.role == Role.OWNER and owners == 1


def _end(
    session: Session, actor: Actor, which: ColumnElement[bool], told: EventName, wall: WallNow
) -> LastOwner | None:
    """Delete a membership with all that signs in to it, and the invitations that it sent."""
    row = _member(session, actor, which)
    if _is_last_owner(session, row):
        session.rollback()
        return LastOwner()
    for table in (SessionRow, ChallengeRow, SignInLinkRow):
        session.execute(
            delete(table).where(
                table.environment_id == actor.environment_id, table.membership_id == row.id
            )
        )
    subject = f"person:{row.person_id}"
    record(session, actor.scope, doer_of(actor), told, subject, wall, role=row.role)
    drop_those_of(session, actor, row.person_id, wall)
    telling_members.gone(session, actor, row, wall)
    session.delete(row)
    session.commit()
    return None
