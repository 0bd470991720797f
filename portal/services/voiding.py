"""Ways in that were opened before the password was another: links, and sign-ins half-way."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.models.accounts import MembershipRow
from portal.models.keys import SignInLinkRow
from portal.models.sign_in import ResetLinkRow
from portal.services.proving import end_challenges


def void_ways_in(session: Session, scope: Scope, person_id: int, wall: WallNow) -> None:
    """Spend the person's links, mailed or made for the host, and end what waits for a code.

    Links first: one that is being followed is waited for, and what it has begun ends here.
    """
    _spend_links_of_the_host(session, scope, person_id, wall)
    session.execute(
        update(ResetLinkRow)
        .where(
            ResetLinkRow.environment_id == scope.environment_id,
            ResetLinkRow.person_id == person_id,
            ResetLinkRow.used_at.is_(None),
        )
        .values(used_at=wall)
    )
    end_challenges(session, scope, person_id, wall)


def _spend_links_of_the_host(session: Session, scope: Scope, person_id: int, wall: WallNow) -> None:
    theirs = select(MembershipRow.id).where(
        MembershipRow.environment_id == scope.environment_id,
        MembershipRow.person_id == person_id,
    )
    session.execute(
        update(SignInLinkRow)
        .where(
            SignInLinkRow.environment_id == scope.environment_id,
            SignInLinkRow.membership_id.in_(theirs),
            SignInLinkRow.used_at.is_(None),
        )
        .values(used_at=wall)
    )
