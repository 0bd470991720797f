"""Support views: started for a stated reason, and noted page by page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of
from portal.domain.support import LIFE, Consent, EndCause
from portal.domain.support_notices import SupportStarted
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.staff import StaffRow, StaffSessionRow
from portal.models.support import SupportApprovalRow, SupportSessionRow
from portal.queries.accounts import account_state
from portal.queries.staff import StaffMember, is_of_staff
from portal.queries.support import EndedView, SupportView, find_view, open_views
from portal.services import support_endings as endings
from portal.services.capacity import open_windows
from portal.services.mailing import post
from portal.services.recording import record
from portal.services.support_windows import window_that_allows
from portal.services.till import doer_of

LONGEST_PATH, LONGEST_BROWSER = 200, 255


@dataclass(frozen=True, slots=True)
class Wanted:
    """What staff ask for: through whose eyes (a membership), and why."""

    account_id: int
    membership_id: int
    reason: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A request that is refused. request_id: as the log has it, and the page that refuses."""

    method: str
    path: str
    request_id: str
    browser: str


@dataclass(frozen=True, slots=True)
class ViewStarted:
    """sid: what the browser's cookie is to hold."""

    sid: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nothing was done: the account has to let staff look first."""


@dataclass(frozen=True, slots=True)
class OfStaff:
    """Nothing was done: the member is one of the staff."""


def start(
    session: Session,
    who: StaffMember,
    wanted: Wanted,
    consent: Consent,
    origin: Origin,
    wall: WallNow,
) -> ViewStarted | NotAllowed | OfStaff:
    """Begin a view, tell the owners, and end another that the same staff have on; commit.

    Raises NotFound for who is no member of the account.
    """
    scope = who.actor.scope
    lock_staff(session, who)
    person_id = membership_of(session, scope, wanted).person_id
    if is_of_staff(session, scope, person_id):
        session.rollback()
        return OfStaff()
    asks = consent is not Consent.OPEN
    window = window_that_allows(session, scope, wanted.account_id, wall) if asks else None
    if asks and window is None:
        session.rollback()
        return NotAllowed()
    view = _row(session, who, wanted, person_id, origin, wall)
    if window is not None and window.ends_at is not None:
        view.window_id, view.expires_at = window.id, min(view.expires_at, window.ends_at)
    return _begin(session, scope, view, who.name, "", wall)


def start_approved(
    session: Session,
    who: StaffMember,
    approval: SupportApprovalRow,
    approver: str,
    origin: Origin,
    wall: WallNow,
) -> ViewStarted:
    """The same as a second member of staff approved it; their and the approval's rows are locked.

    approver: that one's name.
    """
    wanted = Wanted(approval.account_id, 0, approval.reason, approval.ticket)
    view = _row(session, who, wanted, approval.person_id, origin, wall)
    view.approval_id = approval.id
    return _begin(session, who.actor.scope, view, who.name, approver, wall)


def look(
    session: Session, scope: Scope, sid: str, staff_sid: str, consent: Consent, wall: WallNow
) -> SupportView | EndedView | None:
    """What a browser's id stands for; an end that nobody noted yet is noted; commit.

    staff_sid: of the staff's own session in the same browser. consent: the environment's choice.
    """
    found = find_view(session, scope, sid, staff_sid, consent, wall)
    if isinstance(found, EndedView) and not found.is_noted:
        endings.end(session, scope, found.id, found.cause, wall)
    session.commit()
    return found


def note_page(session: Session, view: SupportView, path: str, wall: WallNow) -> None:
    """Record a page that is opened, and open what the account's clock opens by itself; commit.

    A page that is read in a read-only transaction could not do that.
    """
    actor = view.member.actor
    key = (actor.environment_id, view.id)
    session.get_one(SupportSessionRow, key, with_for_update=True).last_seen_at = wall
    _record(session, view, EventName.SUPPORT_PAGE_OPENED, wall, page=path[:LONGEST_PATH])
    state = account_state(session, actor.scope, actor.account_id, wall)
    open_windows(session, actor.scope, state, state.now)
    session.commit()


def note_refused(session: Session, view: SupportView, tried: Tried, wall: WallNow) -> None:
    """Record that something was refused because a view is on; commit."""
    detail = {"method": tried.method, "page": tried.path[:LONGEST_PATH]}
    detail |= {"request": tried.request_id, "browser": tried.browser[:LONGEST_BROWSER]}
    _record(session, view, EventName.SUPPORT_WRITE_REFUSED, wall, **detail)
    session.commit()


def lock_staff(session: Session, who: StaffMember) -> None:
    """One start, and one wish for one, of the same staff at a time."""
    key = (who.actor.scope.environment_id, who.actor.staff_id)
    session.get_one(StaffRow, key, with_for_update=True)


def membership_of(session: Session, scope: Scope, wanted: Wanted) -> MembershipRow:
    """It stays until this commits. Raises NotFound."""
    row = session.scalar(
        select(MembershipRow)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == wanted.account_id,
            MembershipRow.id == wanted.membership_id,
        )
        .with_for_update(read=True, key_share=True)
    )
    if row is None:
        raise NotFound("member")
    return row


def _begin(
    session: Session,
    scope: Scope,
    view: SupportSessionRow,
    staff_name: str,
    approver: str,
    wall: WallNow,
) -> ViewStarted:
    mine = open_views(scope).where(SupportSessionRow.staff_id == view.staff_id)
    for row in session.execute(mine):
        endings.end_view(session, scope, row[0], staff_name, EndCause.ANOTHER, wall)
    sid = secrets.token_urlsafe(32)
    view.sid_digest = digest_of(sid)
    session.add(view)
    session.flush()
    _tell_of_start(session, scope, view, staff_name, approver, wall)
    session.commit()
    return ViewStarted(sid)


def _row(
    session: Session,
    who: StaffMember,
    wanted: Wanted,
    person_id: int,
    origin: Origin,
    wall: WallNow,
) -> SupportSessionRow:
    """A view that ends with the staff session at the latest; its id is not set yet."""
    environment_id, place = who.actor.scope.environment_id, origin.place(wall)
    signed = session.get_one(StaffSessionRow, (environment_id, who.session_id))
    return SupportSessionRow(
        environment_id=environment_id,
        staff_id=who.actor.staff_id,
        staff_session_id=signed.id,
        account_id=wanted.account_id,
        person_id=person_id,
        reason=wanted.reason,
        ticket=wanted.ticket,
        started_at=wall,
        last_seen_at=wall,
        expires_at=min(wall + LIFE, signed.expires_at),
        address=place.address,
        user_agent=place.user_agent,
    )


def _tell_of_start(
    session: Session,
    scope: Scope,
    view: SupportSessionRow,
    staff_name: str,
    approver: str,
    wall: WallNow,
) -> None:
    person = session.get_one(PersonRow, (scope.environment_id, view.person_id))
    told, detail = EventName.SUPPORT_STARTED, {"reason": view.reason, "ticket": view.ticket}
    if approver:
        detail["approved_by"] = approver
    endings.tell(session, scope, view, staff_name, told, wall, **detail, browser=view.user_agent)
    notice = SupportStarted(
        view.id, staff_name, person.name, view.reason, view.ticket, wall, view.expires_at, approver
    )
    post(session, scope, view.account_id, notice)


def _record(
    session: Session, view: SupportView, event: EventName, wall: WallNow, **detail: str
) -> None:
    doer, subject = doer_of(view.member.actor), f"support_session:{view.id}"
    scope = view.member.actor.scope
    record(session, scope, doer, event, subject, wall, staff=view.staff_name, **detail)
