"""Who of the staff is behind a request, and what lets them in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope, StaffActor, StaffRole
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.models.accounts import PersonRow
from portal.models.identities import StaffIdentityRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow, StaffRow, StaffSessionRow

IDLE_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody of the staff who is signed in. seen_at: when the session was last used.

    proved_at: when they last showed both steps, here or at the identity provider; None where it
    did not say. has_authenticator: whether they can show a code here.
    """

    actor: StaffActor
    session_id: int
    email: str
    name: str
    seen_at: WallNow
    proved_at: WallNow | None
    has_authenticator: bool


def find_staff(session: Session, scope: Scope, email: str) -> StaffRow | None:
    """None for an address that is nobody's, or of somebody who was ended."""
    return session.scalar(_staff(scope).where(func.lower(StaffRow.email) == plain_email(email)))


def is_of_staff(session: Session, scope: Scope, person_id: int) -> bool:
    """Whether a member has the e-mail address of one of the staff."""
    person = session.get_one(PersonRow, (scope.environment_id, person_id))
    return find_staff(session, scope, person.email) is not None


def all_staff(session: Session, scope: Scope) -> tuple[StaffRow, ...]:
    """Those who were not ended, oldest first."""
    return tuple(session.scalars(_staff(scope).order_by(StaffRow.id)))


def staff_with_a_way_in(session: Session, scope: Scope) -> tuple[StaffRow, ...]:
    """Of those, who have set up both steps, or are known to an identity provider."""
    known = exists().where(_of_staff(StaffIdentityRow))
    set_up = _staff(scope).where(or_(StaffRow.password_hash.is_not(None), known))
    return tuple(session.scalars(set_up.order_by(StaffRow.id)))


def find_staff_member(
    session: Session, scope: Scope, sid: str, wall: WallNow
) -> StaffMember | None:
    """Whose session it is, while it is neither revoked, expired nor idle for too long."""
    row, mine = StaffSessionRow, _of_staff(StaffSessionRow)
    found = session.execute(
        select(row, StaffRow)
        .join(StaffRow, mine)
        .where(
            row.environment_id == scope.environment_id,
            row.sid_digest == digest_of(sid),
            row.revoked_at.is_(None),
            row.expires_at > wall,
            row.last_seen_at > wall - IDLE_LIFE,
            StaffRow.ended_at.is_(None),
        )
    ).first()
    if found is None:
        return None
    signed, staff = found
    actor = StaffActor(staff.id, scope, StaffRole(staff.role), signed.address)
    return StaffMember(
        actor=actor,
        session_id=signed.id,
        email=staff.email,
        name=staff.name,
        seen_at=WallNow(signed.last_seen_at),
        proved_at=WallNow(signed.proved_at) if signed.proved_at else None,
        has_authenticator=staff.encrypted is not None,
    )


def find_staff_challenge(
    session: Session, scope: Scope, written: str, wall: WallNow
) -> StaffChallengeRow | None:
    """A sign-in that waits for its code; None once it is over."""
    row = StaffChallengeRow
    return session.scalar(
        select(row).where(
            row.environment_id == scope.environment_id,
            row.digest == digest_of(written),
            row.used_at.is_(None),
            row.expires_at > wall,
        )
    )


def find_staff_link(
    session: Session, scope: Scope, written: str, wall: WallNow
) -> tuple[StaffLinkRow, StaffRow] | None:
    """The link and whose it is; None once it is used or over. Looking spends nothing."""
    row = StaffLinkRow
    found = session.execute(
        select(row, StaffRow)
        .join(StaffRow, _of_staff(row))
        .where(
            row.environment_id == scope.environment_id,
            row.digest == digest_of(written),
            row.used_at.is_(None),
            row.expires_at > wall,
            StaffRow.ended_at.is_(None),
        )
    ).first()
    return (found[0], found[1]) if found else None


def _staff(scope: Scope) -> Select[StaffRow]:
    return select(StaffRow).where(
        StaffRow.environment_id == scope.environment_id, StaffRow.ended_at.is_(None)
    )


def _of_staff(
    row: type[StaffSessionRow] | type[StaffLinkRow] | type[StaffIdentityRow],
) -> Any:
    return and_(StaffRow.environment_id == row.environment_id, StaffRow.id == row.staff_id)
