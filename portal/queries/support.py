"""Support views: the one behind a request, those of the past, and what owners allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Actor, Role, Scope
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of
from portal.domain.support import IDLE_LIFE, Consent, EndCause, suffices
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.staff import StaffRow, StaffSessionRow
from portal.models.support import SupportApprovalRow, SupportSessionRow, SupportWindowRow
from portal.queries.members import Member


@dataclass(frozen=True, slots=True)
class SupportView:
    """One that is on. member: through whose eyes, with rights that are cut to reading."""

    id: int
    member: Member
    staff_name: str
    reason: str
    ticket: str
    started_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EndedView:
    """One that is over. is_noted: its row says so already."""

    id: int
    account_id: int
    cause: EndCause
    is_noted: bool


@dataclass(frozen=True, slots=True)
class PastView:
    """One in a list; ended_at: None while it is on. approved_by: of the staff, where one had to."""

    id: int
    account_id: int
    account_name: str
    staff_id: int
    staff_name: str
    member_name: str
    reason: str
    ticket: str
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    cause: EndCause | None
    approved_by: str | None


def find_view(
    session: Session, scope: Scope, sid: str, staff_sid: str, consent: Consent, wall: WallNow
) -> SupportView | EndedView | None:
    """What a browser's id stands for; None for one that never was one of ours.

    staff_sid: of the staff's own session there, without which the other opens nothing. consent:
    the environment's choice.
    """
    held = and_(
        SupportSessionRow.sid_digest == digest_of(sid),
        StaffSessionRow.sid_digest == digest_of(staff_sid),
    )
    row = session.execute(_view(scope, held)).first()
    if row is None:
        return None
    view: SupportSessionRow = row[0]
    cause = ended_by(row, consent, wall)
    if cause is not None:
        return EndedView(view.id, view.account_id, cause, view.ended_at is not None)
    person, membership, account, staff = row[1:5]
    actor = Actor(
        person.id, account.id, scope, Role(membership.role), view.address, staff_id=staff.id
    )
    seen_at = WallNow(view.last_seen_at)
    member = Member(actor, 0, person.email, person.name, person.locale, account.name, seen_at)
    return SupportView(
        view.id, member, staff.name, view.reason, view.ticket, view.started_at, view.expires_at
    )


def ended_by(row: Any, consent: Consent, wall: WallNow) -> EndCause | None:
    """Why a view is over; None while it is on. row: of `open_views`.

    One that began under a laxer choice of the environment's does not go on under a stricter one.
    """
    view, _person, membership, _account, staff, signed, window = row
    if view.ended_at is not None:
        return EndCause(view.end_cause)
    if staff.ended_at is not None or signed.revoked_at is not None:
        return EndCause.SIGNED_OUT
    if membership is None:
        return EndCause.MEMBER_GONE
    if window is not None and window.closed_at is not None and window.closed_at <= wall:
        return EndCause.CLOSED
    if view.expires_at <= wall:
        return EndCause.OVER
    by_window, by_approval = view.window_id is not None, view.approval_id is not None
    if not suffices(consent, by_window=by_window, by_approval=by_approval):
        return EndCause.STRICTER
    return EndCause.IDLE if view.last_seen_at <= wall - IDLE_LIFE else None


def open_views(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Those whose end is not noted, with all that their end depends on."""
    return _view(scope, SupportSessionRow.ended_at.is_(None))


def views_of_account(
    session: Session, scope: Scope, account_id: int, most: int
) -> tuple[PastView, ...]:
    """The last ones first."""
    mine = past_views(scope).where(SupportSessionRow.account_id == account_id).limit(most)
    return tuple(past_view(row) for row in session.execute(mine))


def past_views(scope: Scope) -> Select[*tuple[Any, ...]]:
    row, approver = SupportSessionRow, aliased(StaffRow)
    return (
        select(row, AccountRow.name, StaffRow.name, PersonRow.name, approver.name)
        .join(AccountRow, _same(row, row.account_id, AccountRow))
        .join(StaffRow, _same(row, row.staff_id, StaffRow))
        .join(PersonRow, _same(row, row.person_id, PersonRow))
        .outerjoin(SupportApprovalRow, _same(row, row.approval_id, SupportApprovalRow))
        .outerjoin(approver, _same(row, SupportApprovalRow.answered_by_id, approver))
        .where(row.environment_id == scope.environment_id)
        .order_by(row.started_at.desc(), row.id.desc())
    )


def past_view(row: Any) -> PastView:
    """From a row of `past_views`."""
    view, account_name, staff_name, member_name, approved_by = row
    return PastView(
        view.id, view.account_id, account_name, view.staff_id, staff_name, member_name,
        view.reason, view.ticket, view.started_at, view.expires_at, view.ended_at,
        EndCause(view.end_cause) if view.end_cause else None, approved_by,
    )  # fmt: skip


def _view(scope: Scope, which: Any) -> Select[*tuple[Any, ...]]:
    """The view with person, membership (None once it is gone), account, staff, sign-in, window."""
    row = SupportSessionRow
    belongs = and_(
        MembershipRow.environment_id == row.environment_id,
        MembershipRow.account_id == row.account_id,
        MembershipRow.person_id == row.person_id,
    )
    return (
        select(
            row, PersonRow, MembershipRow, AccountRow, StaffRow, StaffSessionRow, SupportWindowRow
        )
        .join(PersonRow, _same(row, row.person_id, PersonRow))
        .outerjoin(MembershipRow, belongs)
        .join(AccountRow, _same(row, row.account_id, AccountRow))
        .join(StaffRow, _same(row, row.staff_id, StaffRow))
        .join(StaffSessionRow, _same(row, row.staff_session_id, StaffSessionRow))
        .outerjoin(SupportWindowRow, _same(row, row.window_id, SupportWindowRow))
        .where(row.environment_id == scope.environment_id, which)
    )


def _same(row: Any, id_: Any, other: Any) -> Any:
    return and_(other.environment_id == row.environment_id, other.id == id_)
