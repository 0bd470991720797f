"""Whose an identity at a provider is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.identities import Identity
from portal.models.accounts import PersonRow
from portal.models.identities import IdentityRow, StaffIdentityRow
from portal.models.staff import StaffRow


def find_linked_person(session: Session, scope: Scope, identity: Identity) -> PersonRow | None:
    row = IdentityRow
    return session.scalar(
        select(PersonRow)
        .join(row, PersonRow.id == row.person_id)
        .where(
            PersonRow.environment_id == scope.environment_id,
            row.environment_id == scope.environment_id,
            row.issuer == identity.issuer,
            row.subject == identity.subject,
        )
    )


def find_linked_staff(session: Session, scope: Scope, identity: Identity) -> StaffRow | None:
    """None for who was ended, too."""
    row = StaffIdentityRow
    return session.scalar(
        select(StaffRow)
        .join(row, StaffRow.id == row.staff_id)
        .where(
            StaffRow.environment_id == scope.environment_id,
            StaffRow.ended_at.is_(None),
            row.environment_id == scope.environment_id,
            row.issuer == identity.issuer,
            row.subject == identity.subject,
        )
    )


def is_linked(session: Session, scope: Scope, person_id: int, issuer: str) -> bool:
    """Whether the provider lets the person in."""
    found = select(IdentityRow.id).where(
        IdentityRow.environment_id == scope.environment_id,
        IdentityRow.person_id == person_id,
        IdentityRow.issuer == issuer,
    )
    return session.scalar(found) is not None


def linked_issuers(session: Session, scope: Scope, person_id: int) -> tuple[str, ...]:
    """The providers that let the person in, also those that the settings name no more."""
    found = select(IdentityRow.issuer).where(
        IdentityRow.environment_id == scope.environment_id,
        IdentityRow.person_id == person_id,
    )
    return tuple(session.scalars(found.order_by(IdentityRow.issuer)))


def is_staff_linked(session: Session, scope: Scope, staff_id: int, issuer: str) -> bool:
    found = select(StaffIdentityRow.id).where(
        StaffIdentityRow.environment_id == scope.environment_id,
        StaffIdentityRow.staff_id == staff_id,
        StaffIdentityRow.issuer == issuer,
    )
    return session.scalar(found) is not None
