"""Who is behind a request: the signed-in member and the scope of this deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, PersonRow, SessionRow

IDLE_LIFE = timedelta(minutes=30)
_FIND_ENVIRONMENT = text(
    "select tenant_id, environment_id from find_environment(:tenant, :environment)"
)
"""The one question that the database answers before it is told a scope."""


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in person in one of their accounts. seen: when the session was last used."""

    actor: Actor
    session_id: int
    email: str
    name: str
    locale: str
    account_name: str
    seen_at: WallNow


def find_scope(session: Session, tenant_key: str, environment: str) -> Scope | None:
    """The ids of an environment; None before the first start has made it."""
    named = {"tenant": tenant_key, "environment": environment}
    row = session.execute(_FIND_ENVIRONMENT, named).first()
    return Scope(row[0], row[1]) if row else None


def roles(session: Session, scope: Scope, account_id: int) -> set[Role]:
    """Every role that somebody has in an account."""
    found = session.scalars(
        select(MembershipRow.role).where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
        )
    )
    return {Role(role) for role in found}


def find_member(session: Session, scope: Scope, sid_digest: str, wall: WallNow) -> Member | None:
    """The member of a session that is neither revoked, expired nor idle for too long."""
    row = session.execute(
        select(SessionRow, PersonRow, MembershipRow, AccountRow)
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .join(MembershipRow, MembershipRow.id == SessionRow.membership_id)
        .join(AccountRow, AccountRow.id == MembershipRow.account_id)
        .where(
            SessionRow.environment_id == scope.environment_id,
            SessionRow.sid_digest == sid_digest,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > wall,
            SessionRow.last_seen_at > wall - IDLE_LIFE,
        )
    ).first()
    if row is None:
        return None
    signed, person, membership, account = row
    actor = Actor(person.id, account.id, scope, Role(membership.role), signed.address)
    return Member(
        actor=actor,
        session_id=signed.id,
        email=person.email,
        name=person.name,
        locale=person.locale,
        account_name=account.name,
        seen_at=WallNow(signed.last_seen_at),
    )
