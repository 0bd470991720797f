"""Deletes what sign-ins leave behind, once it is worth nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.models.base import Scoped
from portal.models.identities import TripRow
from portal.models.invitations import InvitationRow
from portal.models.sign_in import ChallengeRow, DeviceRow, ResetLinkRow, ResetWishRow, TryCountRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow
from portal.services.devices import KEPT

OVER = timedelta(days=1)
UNANSWERED = timedelta(days=30)
OPEN_ONCE = (ChallengeRow, ResetLinkRow, StaffChallengeRow, StaffLinkRow, TripRow)


def forget_sign_ins(session: Session, scope: Scope, wall: WallNow) -> None:
    """Forgiven tries, links, challenges and trips a day after their end, unused devices; commit.

    Wishes for a link that no worker heard of go a day after the asking, invitations that nobody
    answered 30 days after their end.
    """
    over = [(each, each.expires_at, wall - OVER) for each in OPEN_ONCE]
    by_age: list[tuple[type[Scoped], InstrumentedAttribute[datetime], datetime]] = [
        (TryCountRow, TryCountRow.forget_at, wall),
        (ResetWishRow, ResetWishRow.asked_at, wall - OVER),
        (InvitationRow, InvitationRow.expires_at, wall - UNANSWERED),
        (DeviceRow, DeviceRow.last_used_at, wall - KEPT),
    ]
    for table, at, until in (*over, *by_age):
        session.execute(
            delete(table).where(table.environment_id == scope.environment_id, at <= until)
        )
    session.commit()
