"""How support views end: by those who look, by an owner, or by themselves."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.support import Consent, EndCause
from portal.models.staff import StaffRow
from portal.models.support import SupportSessionRow
from portal.queries.support import ended_by, open_views
from portal.services.members import lock_as_owner
from portal.services.recording import Doer, record
from portal.services.till import doer_of


def end(session: Session, scope: Scope, view_id: int, cause: EndCause, wall: WallNow) -> None:
    """End a view once; commit. One that is over stays as it ended."""
    view = session.get_one(SupportSessionRow, (scope.environment_id, view_id), with_for_update=True)
    session.refresh(view)
    if view.ended_at is None:
        staff = session.get_one(StaffRow, (scope.environment_id, view.staff_id))
        end_view(session, scope, view, staff.name, cause, wall)
    session.commit()


def end_lapsed(session: Session, scope: Scope, consent: Consent, wall: WallNow) -> int:
    """Note the end of views whose browser did not come back; how many; commit each."""
    on = session.execute(open_views(scope))
    over = [(row[0].id, ended_by(row, consent, wall)) for row in on]
    found = [(id_, cause) for id_, cause in over if cause is not None]
    session.rollback()
    for id_, cause in found:
        end(session, scope, id_, cause, wall)
    return len(found)


def end_as_owner(
    session: Session, actor: Actor, view_id: int, consent: Consent, wall: WallNow
) -> None:
    """End a view of the account at once: its next request shows nothing more; commit.

    Raises Forbidden for all but an owner, and NotFound. One that is over stays as it ended.
    """
    view = session.scalar(
        select(SupportSessionRow)
        .where(
            SupportSessionRow.environment_id == actor.environment_id,
            SupportSessionRow.account_id == actor.account_id,
            SupportSessionRow.id == view_id,
        )
        .with_for_update()
    )
    lock_as_owner(session, actor)  # after the view, as a page that is noted takes them
    if view is None:
        raise NotFound("support view")
    if view.ended_at is None:
        _end_as_owner(session, actor, view, consent, wall)
    session.commit()


def _end_as_owner(
    session: Session, actor: Actor, view: SupportSessionRow, consent: Consent, wall: WallNow
) -> None:
    found = open_views(actor.scope).where(SupportSessionRow.id == view.id)
    staff = session.get_one(StaffRow, (actor.environment_id, view.staff_id))
    lapsed = ended_by(session.execute(found).one(), consent, wall)
    if lapsed is not None:
        end_view(session, actor.scope, view, staff.name, lapsed, wall)
        return
    view.ended_at, view.end_cause = wall, EndCause.CLOSED
    told, subject = EventName.SUPPORT_ENDED, f"support_session:{view.id}"
    detail = {"staff": staff.name, "cause": EndCause.CLOSED}
    record(session, actor.scope, doer_of(actor), told, subject, wall, **detail)


def end_view(
    session: Session,
    scope: Scope,
    view: SupportSessionRow,
    staff_name: str,
    cause: EndCause,
    wall: WallNow,
) -> None:
    """Note its end, without the commit."""
    view.ended_at, view.end_cause = wall, cause
    tell(session, scope, view, staff_name, EventName.SUPPORT_ENDED, wall, cause=cause)


def tell(
    session: Session,
    scope: Scope,
    view: SupportSessionRow,
    staff_name: str,
    event: EventName,
    wall: WallNow,
    **detail: str,
) -> None:
    """Record what became of a view as the deed of who looks."""
    doer = Doer(
        f"staff:{view.staff_id}", view.account_id, behalf_of=view.person_id, address=view.address
    )
    subject = f"support_session:{view.id}"
    record(session, scope, doer, event, subject, wall, staff=staff_name, **detail)
