"""Persons by their e-mail address, and how they sign in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.sign_in import ChallengeRow, RecoveryCodeRow, ResetLinkRow, SecondFactorRow


@dataclass(frozen=True, slots=True)
class SignInWays:
    """How somebody shows who they are. codes_left: recovery codes that are not used yet."""

    has_password: bool
    has_second_factor: bool
    codes_left: int


def find_person(session: Session, scope: Scope, email: str) -> PersonRow | None:
    return session.scalar(
        select(PersonRow).where(
            PersonRow.environment_id == scope.environment_id,
            func.lower(PersonRow.email) == plain_email(email),
        )
    )


def first_membership(session: Session, scope: Scope, person: PersonRow) -> MembershipRow | None:
    return session.scalar(
        select(MembershipRow)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.person_id == person.id,
        )
        .order_by(MembershipRow.id)
        .limit(1)
    )


def has_second_factor(session: Session, scope: Scope, person_id: int) -> bool:
    """Whether codes of an authenticator are asked for."""
    found = session.scalar(
        select(SecondFactorRow.id).where(
            SecondFactorRow.environment_id == scope.environment_id,
            SecondFactorRow.person_id == person_id,
            SecondFactorRow.confirmed_at.is_not(None),
        )
    )
    return found is not None


def sign_in_ways(session: Session, actor: Actor) -> SignInWays:
    person = session.get_one(PersonRow, (actor.environment_id, actor.person_id))
    left = session.scalar(
        select(func.count())
        .select_from(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.environment_id == actor.environment_id,
            RecoveryCodeRow.person_id == actor.person_id,
            RecoveryCodeRow.used_at.is_(None),
        )
    )
    has_factor = has_second_factor(session, actor.scope, actor.person_id)
    return SignInWays(person.password_hash is not None, has_factor, left or 0)


def find_challenge(
    session: Session, scope: Scope, written: str, wall: WallNow
) -> ChallengeRow | None:
    """A sign-in that waits for its code; None once it is over."""
    return session.scalar(
        select(ChallengeRow).where(
            ChallengeRow.environment_id == scope.environment_id,
            ChallengeRow.digest == digest_of(written),
            ChallengeRow.used_at.is_(None),
            ChallengeRow.expires_at > wall,
        )
    )


def find_reset_link(
    session: Session, scope: Scope, written: str, wall: WallNow
) -> ResetLinkRow | None:
    """None once it is used or over, and for one that was never made. Looking spends nothing."""
    return session.scalar(
        select(ResetLinkRow).where(
            ResetLinkRow.environment_id == scope.environment_id,
            ResetLinkRow.digest == digest_of(written),
            ResetLinkRow.used_at.is_(None),
            ResetLinkRow.expires_at > wall,
        )
    )
