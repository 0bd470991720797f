"""Views that wait for a second member of staff, and those that one has approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope, StaffActor
from portal.domain.errors import NotFound
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, PersonRow
from portal.models.staff import StaffRow
from portal.models.support import SupportApprovalRow, SupportSessionRow


@dataclass(frozen=True, slots=True)
class Approval:
    """A wish of one of the staff. approved_by: a name; None while nobody has answered."""

    id: int
    staff_id: int
    staff_name: str
    account_id: int
    account_name: str
    member_name: str
    reason: str
    ticket: str
    asked_at: datetime
    expires_at: datetime
    approved_by: str | None


def waiting_approvals(session: Session, scope: Scope, wall: WallNow) -> tuple[Approval, ...]:
    """Those without an answer whose time is not over, the oldest first."""
    return _found(session, _wishes(scope, wall).where(_WAITS))


def waiting_approval(session: Session, scope: Scope, id_: int, wall: WallNow) -> Approval:
    """Raises NotFound for one that has its answer, or whose time is over."""
    found = _found(session, _wishes(scope, wall).where(_WAITS, SupportApprovalRow.id == id_))
    if not found:
        raise NotFound("approval")
    return found[0]


def own_approval(
    session: Session, actor: StaffActor, account_id: int, wall: WallNow
) -> Approval | None:
    """What the staff asked for this account: it waits, or is approved and not used yet."""
    row = SupportApprovalRow
    used = exists().where(
        SupportSessionRow.environment_id == row.environment_id,
        SupportSessionRow.approval_id == row.id,
    )
    mine = _wishes(actor.scope, wall).where(
        row.staff_id == actor.staff_id,
        row.account_id == account_id,
        row.is_approved.is_not(False),
        ~used,
    )
    found = _found(session, mine)
    return found[0] if found else None


_WAITS = SupportApprovalRow.answered_at.is_(None)


def _wishes(scope: Scope, wall: WallNow) -> Select[*tuple[Any, ...]]:
    row, approver = SupportApprovalRow, aliased(StaffRow)
    return (
        select(row, StaffRow.name, AccountRow.name, PersonRow.name, approver.name)
        .join(StaffRow, _same(StaffRow, row.staff_id))
        .join(AccountRow, _same(AccountRow, row.account_id))
        .join(PersonRow, _same(PersonRow, row.person_id))
        .outerjoin(approver, _same(approver, row.answered_by_id))
        .where(row.environment_id == scope.environment_id, row.expires_at > wall)
        .order_by(row.id)
    )


def _same(other: Any, id_: Any) -> Any:
    return and_(other.environment_id == SupportApprovalRow.environment_id, other.id == id_)


def _found(session: Session, wanted: Select[*tuple[Any, ...]]) -> tuple[Approval, ...]:
    return tuple(
        Approval(
            row.id, row.staff_id, staff, row.account_id, account, member, row.reason, row.ticket,
            row.asked_at, row.expires_at, approver,
        )
        for row, staff, account, member, approver in session.execute(wanted)
    )  # fmt: skip
