"""Add-ons whose time is over: noted for the record and the host; access ended by the clock."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow
from portal.models.subscriptions import InstanceRow
from portal.services.recording import Doer, record

BATCH = 500


def note_endings(session: Session, scope: Scope, wall: WallNow) -> int:
    """Mark the instances that are over by their accounts' clocks, each once; commits; how many.

    One that a late renewal has yet to bill stays unmarked until then. Any number of workers may
    do so at once; nothing waits for the mark.
    """
    done = 0
    while found := _mark(session, scope, wall):
        done += found
    return done


def _mark(session: Session, scope: Scope, wall: WallNow) -> int:
    row, now = InstanceRow, func.coalesce(AccountRow.test_clock_at, wall)
    stops_at = func.least(row.ends_at, row.cancel_at)
    rows = session.scalars(
        select(row)
        .join(
            AccountRow,
            (AccountRow.environment_id == row.environment_id) & (AccountRow.id == row.account_id),
        )
        .where(
            row.environment_id == scope.environment_id,
            row.status == InstanceStatus.ACTIVE,
            stops_at <= now,
            or_(row.billed_until_at.is_(None), row.billed_until_at >= stops_at),
        )
        .limit(BATCH)
        .with_for_update(of=row, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for each in rows:
        each.status = InstanceStatus.ENDED
        ended_at = min(end for end in (each.ends_at, each.cancel_at) if end is not None)
        doer, told = Doer("clock", each.account_id), EventName.INSTANCE_ENDED
        record(session, scope, doer, told, f"instance:{each.id}", ended_at)
    session.commit()
    return len(rows)
