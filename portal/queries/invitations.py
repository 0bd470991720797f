"""An invitation as whoever holds its link sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from portal.domain.access import INVITERS, Role, Scope
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.invitations import InvitationRow
from portal.queries.persons import find_person, first_membership


@dataclass(frozen=True, slots=True)
class Invitation:
    """is_known: the address is of a member of some account, who signs in to accept."""

    email: str
    role: Role
    account_name: str
    inviter: str
    expires_at: datetime
    is_known: bool


def find_invitation(
    session: Session, scope: Scope, written: str, wall: WallNow
) -> Invitation | None:
    """None where its link may not be followed any more. Looking spends nothing."""
    found = session.execute(
        select(InvitationRow, AccountRow.name, PersonRow.name)
        .join(AccountRow, AccountRow.id == InvitationRow.account_id)
        .join(PersonRow, PersonRow.id == InvitationRow.person_id)
        .where(
            AccountRow.environment_id == scope.environment_id,
            PersonRow.environment_id == scope.environment_id,
            InvitationRow.id.in_(
                good_invitation(scope, written, wall).with_only_columns(InvitationRow.id)
            ),
            InvitationRow.environment_id == scope.environment_id,
        )
    ).first()
    if found is None:
        return None
    row, account_name, inviter = found
    known = is_known(session, scope, row.email)
    return Invitation(row.email, Role(row.role), account_name, inviter, row.expires_at, known)


def is_known(session: Session, scope: Scope, email: str) -> bool:
    """Whether somebody with this address can sign in already."""
    person = find_person(session, scope, email)
    return person is not None and first_membership(session, scope, person) is not None


def good_invitation(scope: Scope, written: str, wall: WallNow) -> Select[InvitationRow]:
    """The invitation's row, while it is neither over nor of somebody who may not invite now."""
    still_invites = exists().where(
        MembershipRow.environment_id == scope.environment_id,
        MembershipRow.account_id == InvitationRow.account_id,
        MembershipRow.person_id == InvitationRow.person_id,
        MembershipRow.role.in_(INVITERS),
    )
    return select(InvitationRow).where(
        InvitationRow.environment_id == scope.environment_id,
        InvitationRow.digest == digest_of(written),
        InvitationRow.expires_at > wall,
        still_invites,
    )
