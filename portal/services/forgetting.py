"""Deletes what sign-ins leave behind, once it is worth nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.models.identities import TripRow
from portal.models.invitations import InvitationRow
from portal.models.sign_in import ChallengeRow, DeviceRow, ResetLinkRow, TryCountRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow
from portal.services.devices import KEPT

OVER = timedelta(days=1)
UNANSWERED = timedelta(days=30)


def forget_sign_ins(session: Session, scope: Scope, wall: WallNow) -> None:
    """Forgiven tries, links, challenges and trips a day after their end, unused devices; commit.

    Invitations that nobody answered go 30 days after theirs.
    """
    session.execute(
        delete(TryCountRow).where(
            TryCountRow.environment_id == scope.environment_id, TryCountRow.forget_at <= wall
        )
    )
    for table in (ChallengeRow, ResetLinkRow, StaffChallengeRow, StaffLinkRow, TripRow):
        session.execute(
            delete(table).where(
                table.environment_id == scope.environment_id, table.expires_at <= wall - OVER
            )
        )
    session.execute(
        delete(InvitationRow).where(
            InvitationRow.environment_id == scope.environment_id,
            InvitationRow.expires_at <= wall - UNANSWERED,
        )
    )
    session.execute(
        delete(DeviceRow).where(
            DeviceRow.environment_id == scope.environment_id,
            DeviceRow.last_used_at <= wall - KEPT,
        )
    )
    session.commit()
