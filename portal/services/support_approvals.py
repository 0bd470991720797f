"""Break-glass: where no owner lets staff look, a second member of staff approves one view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.domain.access import StaffActor
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin
from portal.domain.support import APPROVABLE
from portal.domain.support_notices import ApprovalAnswered, ApprovalAsked
from portal.models.accounts import AccountRow, MembershipRow
from portal.models.staff import StaffRow
from portal.models.support import SupportApprovalRow, SupportSessionRow
from portal.queries.staff import StaffMember, is_of_staff, staff_with_a_way_in
from portal.services.mailing import post_to_staff
from portal.services.recording import Doer, record
from portal.services.support import ViewStarted, Wanted, lock_staff, membership_of, start_approved


def ask(session: Session, who: StaffMember, wanted: Wanted, wall: WallNow) -> int:
    """Let a second member of staff decide, and tell all who could; the id of the wish; commit.

    Raises NotFound, and Conflict while another wish of theirs for the account waits or is approved.
    """
    scope = who.actor.scope
    lock_staff(session, who)
    membership = membership_of(session, scope, wanted)
    if _lives(session, who.actor, wanted.account_id, wall):
        raise Conflict("a wish waits for its approval")
    row = SupportApprovalRow(
        environment_id=scope.environment_id,
        account_id=wanted.account_id,
        person_id=membership.person_id,
        staff_id=who.actor.staff_id,
        reason=wanted.reason,
        ticket=wanted.ticket,
        asked_at=wall,
        expires_at=wall + APPROVABLE,
    )
    session.add(row)
    session.flush()
    told = {"reason": row.reason, "ticket": row.ticket}
    _record(session, who, EventName.SUPPORT_APPROVAL_ASKED, row, wall, **told)
    _tell_the_others(session, who, row)
    approval_id = row.id
    session.commit()
    return approval_id


def answer(
    session: Session, who: StaffMember, approval_id: int, wall: WallNow, *, approved: bool
) -> None:
    """Approve what another of the staff wants, or refuse it, and tell them; commit.

    An approval is good for one view, which has to begin within 30 minutes. Raises NotFound,
    Forbidden for one's own wish, and Conflict for one that is over, or when either was ended.
    """
    row, staff = _locked(session, who.actor, approval_id)
    if row.staff_id == who.actor.staff_id:
        raise Forbidden("one's own wish")
    if row.answered_at is not None or row.expires_at <= wall:
        raise Conflict("the wish is over")
    asker = _at_work(staff, row.staff_id)
    _at_work(staff, who.actor.staff_id)
    row.answered_by_id, row.answered_at, row.is_approved = who.actor.staff_id, wall, approved
    if approved:
        row.expires_at = wall + APPROVABLE
    told = EventName.SUPPORT_APPROVED if approved else EventName.SUPPORT_APPROVAL_REFUSED
    _record(session, who, told, row, wall, asked_by=asker.name)
    answered = ApprovalAnswered(
        row.id, who.name, row.account_id, _account_name(session, row), row.ticket, approved,
        row.expires_at,
    )  # fmt: skip
    post_to_staff(session, who.actor.scope, [asker], answered)
    session.commit()


def begin(
    session: Session,
    who: StaffMember,
    account_id: int,
    approval_id: int,
    origin: Origin,
    wall: WallNow,
) -> ViewStarted:
    """Begin the view of the account that was approved, once, and tell the owners; commit.

    Raises NotFound for another's, and Conflict for what is not approved, over or used, whose
    approver was ended since, or whose member is none any more, or became one of the staff.
    """
    row, staff = _locked(session, who.actor, approval_id)
    if (row.staff_id, row.account_id) != (who.actor.staff_id, account_id):
        raise NotFound("approval")
    if not row.is_approved or row.expires_at <= wall or _is_used(session, row):
        raise Conflict("there is no approval")
    approver = _at_work(staff, row.answered_by_id)
    if not _is_member(session, row):
        raise Conflict("the member was removed")
    if is_of_staff(session, who.actor.scope, row.person_id):
        raise Conflict("the member is one of the staff")
    return start_approved(session, who, row, approver.name, origin, wall)


def _tell_the_others(session: Session, who: StaffMember, row: SupportApprovalRow) -> None:
    scope = who.actor.scope
    others = [each for each in staff_with_a_way_in(session, scope) if each.id != row.staff_id]
    asked = ApprovalAsked(
        row.id, who.name, _account_name(session, row), row.reason, row.ticket, row.expires_at
    )
    post_to_staff(session, scope, others, asked)


def _account_name(session: Session, row: SupportApprovalRow) -> str:
    return session.get_one(AccountRow, (row.environment_id, row.account_id)).name


def _lives(session: Session, actor: StaffActor, account_id: int, wall: WallNow) -> bool:
    row = SupportApprovalRow
    found = select(row).where(
        row.environment_id == actor.scope.environment_id,
        row.staff_id == actor.staff_id,
        row.account_id == account_id,
        row.expires_at > wall,
        row.is_approved.is_not(False),
    )
    return any(not _is_used(session, each) for each in session.scalars(found))


def _locked(
    session: Session, actor: StaffActor, approval_id: int
) -> tuple[SupportApprovalRow, dict[int, StaffRow]]:
    """As it is now, and the staff whom it named before and who acts, by id: those are locked first,
    in order, so that two who answer each other do not wait in a circle.

    Raises NotFound.
    """
    key = (actor.scope.environment_id, approval_id)
    seen = session.get(SupportApprovalRow, key, populate_existing=True)
    if seen is None:
        raise NotFound("approval")
    rows = session.scalars(
        select(StaffRow)
        .where(
            StaffRow.environment_id == actor.scope.environment_id,
            StaffRow.id.in_([seen.staff_id, seen.answered_by_id, actor.staff_id]),
        )
        .order_by(StaffRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    staff = {row.id: row for row in rows}
    session.refresh(seen, with_for_update=True)
    return seen, staff


def _at_work(staff: Mapping[int, StaffRow], id_: int | None) -> StaffRow:
    """Raises Conflict for who was ended, or has answered just now."""
    row = staff.get(id_ or 0)
    if row is None or row.ended_at is not None:
        raise Conflict("who has to stand for it is not there")
    return row


def _is_used(session: Session, approval: SupportApprovalRow) -> bool:
    row = SupportSessionRow
    return _is_there(
        session,
        row.environment_id == approval.environment_id,
        row.approval_id == approval.id,
    )


def _is_member(session: Session, approval: SupportApprovalRow) -> bool:
    row = MembershipRow
    return _is_there(
        session,
        row.environment_id == approval.environment_id,
        row.account_id == approval.account_id,
        row.person_id == approval.person_id,
    )


def _is_there(session: Session, *which: Any) -> bool:
    return bool(session.scalar(select(exists().where(*which))))


def _record(
    session: Session,
    who: StaffMember,
    event: EventName,
    row: SupportApprovalRow,
    wall: WallNow,
    **detail: str,
) -> None:
    doer = Doer(
        f"staff:{who.actor.staff_id}", row.account_id, behalf_of=row.person_id,
        address=who.actor.address,
    )  # fmt: skip
    subject = f"support_approval:{row.id}"
    record(session, who.actor.scope, doer, event, subject, wall, staff=who.name, **detail)
