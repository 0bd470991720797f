"""Who belongs to an account, which invitations wait, and to which accounts somebody belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.domain.access import GRANTS, Actor, Permission, Role
from portal.domain.errors import NotFound
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, PersonRow, SessionRow
from portal.models.invitations import InvitationRow


@dataclass(frozen=True, slots=True)
class Listed:
    """A member; id: of their membership. seen_at: last use of a session here; None: never.

    is_self: the one who asks. is_last_owner: without them the account would have none.
    """

    id: int
    name: str
    email: str
    role: Role
    seen_at: datetime | None
    is_self: bool
    is_last_owner: bool

    @property
    def may_spend(self) -> bool:
        return Permission.BILLING_UPDATE in GRANTS[self.role]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An invitation without an answer; is_over: its link works no more."""

    id: int
    email: str
    role: Role
    inviter: str
    sent_at: datetime
    expires_at: datetime
    is_over: bool


@dataclass(frozen=True, slots=True)
class Belonging:
    """One of somebody's accounts; id: of their membership. is_this: the one that is open."""

    id: int
    account_name: str
    role: Role
    is_this: bool


def members(session: Session, actor: Actor) -> list[Listed]:
    """Owners first, then by role and name."""
    rows = session.execute(_members(actor)).all()
    owners = sum(1 for row, _, _ in rows if row.role == Role.OWNER)
    found = [
        Listed(
            row.id, person.name, person.email, Role(row.role), seen_at,
            is_self=person.id == actor.person_id,
            is_last_owner=owners == 1 and row.role == Role.OWNER,
        )
        for row, person, seen_at in rows
    ]  # fmt: skip
    ranks = list(Role)
    return sorted(found, key=lambda each: (ranks.index(each.role), each.name.lower(), each.id))


def get_member(session: Session, actor: Actor, membership_id: int) -> Listed:
    """Raises NotFound for who is no member of the account."""
    for each in members(session, actor):
        if each.id == membership_id:
            return each
    raise NotFound("member")


def get_self(session: Session, actor: Actor) -> Listed:
    """Raises NotFound for who has been removed meanwhile."""
    for each in members(session, actor):
        if each.is_self:
            return each
    raise NotFound("member")


def waiting(session: Session, actor: Actor, wall: WallNow) -> list[Waiting]:
    """The last sent first."""
    rows = session.execute(
        select(InvitationRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == InvitationRow.person_id)
        .where(
            InvitationRow.environment_id == actor.environment_id,
            InvitationRow.account_id == actor.account_id,
            PersonRow.environment_id == actor.environment_id,
        )
        .order_by(InvitationRow.sent_at.desc(), InvitationRow.id.desc())
    )
    return [
        Waiting(
            row.id, row.email, Role(row.role), inviter, row.sent_at, row.expires_at,
            is_over=row.expires_at <= wall,
        )
        for row, inviter in rows
    ]  # fmt: skip


def belongings(session: Session, actor: Actor) -> list[Belonging]:
    """All accounts of the person, by name."""
    rows = session.execute(
        select(MembershipRow, AccountRow.name)
        .join(AccountRow, AccountRow.id == MembershipRow.account_id)
        .where(
            MembershipRow.environment_id == actor.environment_id,
            MembershipRow.person_id == actor.person_id,
            AccountRow.environment_id == actor.environment_id,
        )
        .order_by(func.lower(AccountRow.name), AccountRow.id)
    )
    return [
        Belonging(row.id, name, Role(row.role), is_this=row.account_id == actor.account_id)
        for row, name in rows
    ]


def _members(actor: Actor) -> Select[MembershipRow, PersonRow, datetime | None]:
    seen_at = (
        select(func.max(SessionRow.last_seen_at))
        .where(
            SessionRow.environment_id == actor.environment_id,
            SessionRow.person_id == MembershipRow.person_id,
            SessionRow.membership_id == MembershipRow.id,
        )
        .scalar_subquery()
    )
    return (
        select(MembershipRow, PersonRow, seen_at)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == actor.environment_id,
            MembershipRow.account_id == actor.account_id,
            PersonRow.environment_id == actor.environment_id,
        )
    )
