"""The times in which an account lets staff look, and the wishes of staff for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.support import ASKABLE
from portal.models.accounts import PersonRow
from portal.models.staff import StaffRow
from portal.models.support import SupportWindowRow


@dataclass(frozen=True, slots=True)
class SupportWindow:
    """One that waits for an answer (opened_at is None) or is open.

    staff_name: who asked for it; None when an owner opened it unasked.
    """

    id: int
    staff_name: str | None
    reason: str
    ticket: str
    asked_at: datetime | None
    opened_by: str | None
    opened_at: datetime | None
    ends_at: datetime | None

    @property
    def lapses_at(self) -> datetime | None:
        """When a wish that gets no answer is over."""
        return None if self.asked_at is None else self.asked_at + ASKABLE


def live_windows(
    session: Session, scope: Scope, account_id: int, wall: WallNow
) -> tuple[SupportWindow, ...]:
    """Those that are open or wait, the last one first."""
    row = SupportWindowRow
    rows = session.execute(
        select(row, StaffRow.name, PersonRow.name)
        .outerjoin(
            StaffRow,
            and_(StaffRow.environment_id == row.environment_id, StaffRow.id == row.staff_id),
        )
        .outerjoin(
            PersonRow,
            and_(PersonRow.environment_id == row.environment_id, PersonRow.id == row.opened_by_id),
        )
        .where(
            row.environment_id == scope.environment_id,
            row.account_id == account_id,
            row.closed_at.is_(None),
            or_(row.asked_at > wall - ASKABLE, row.opened_at.is_not(None)),
            or_(row.ends_at.is_(None), row.ends_at > wall),
        )
        .order_by(row.id.desc())
    )
    return tuple(
        SupportWindow(
            each.id, staff_name, each.reason, each.ticket, each.asked_at, opened_by,
            each.opened_at, each.ends_at,
        )
        for each, staff_name, opened_by in rows
    )  # fmt: skip
