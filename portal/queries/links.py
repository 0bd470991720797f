"""A sign-in link, as long as it is good."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.keys import SignInLinkRow


@dataclass(frozen=True, slots=True)
class Link:
    """Whom it signs in, and to which account."""

    email: str
    account_name: str


def digest_of_link(written: str) -> str:
    """How what is in a link is stored."""
    return hashlib.sha256(written.encode()).hexdigest()


def find_link(session: Session, scope: Scope, written: str, wall: WallNow) -> Link | None:
    """None once it is used or over, and for one that was never made. Looking spends nothing."""
    row = session.execute(
        select(PersonRow.email, AccountRow.name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .join(AccountRow, AccountRow.id == MembershipRow.account_id)
        .join(SignInLinkRow, SignInLinkRow.membership_id == MembershipRow.id)
        .where(
            PersonRow.environment_id == scope.environment_id,
            MembershipRow.environment_id == scope.environment_id,
            AccountRow.environment_id == scope.environment_id,
            SignInLinkRow.id.in_(
                good_link(scope, written, wall).with_only_columns(SignInLinkRow.id)
            ),
        )
    ).first()
    return Link(row[0], row[1]) if row else None


def good_link(scope: Scope, written: str, wall: WallNow) -> Select[SignInLinkRow]:
    """The link's row, while it may be used."""
    return select(SignInLinkRow).where(
        SignInLinkRow.environment_id == scope.environment_id,
        SignInLinkRow.digest == digest_of_link(written),
        SignInLinkRow.used_at.is_(None),
        SignInLinkRow.expires_at > wall,
    )
