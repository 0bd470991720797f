"""Owners let staff look for a while, unasked or asked, and close that again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.support import ACCEPTED, ASKABLE
from portal.domain.support_notices import AccessAnswered, SupportAsked
from portal.models.accounts import AccountRow
from portal.models.staff import StaffRow
from portal.models.support import SupportWindowRow
from portal.queries.staff import StaffMember
from portal.services.mailing import post, post_to_staff
from portal.services.members import lock_as_owner
from portal.services.recording import Doer, record
from portal.services.till import doer_of


def open_window(session: Session, actor: Actor, span: timedelta, wall: WallNow) -> None:
    """Let staff look from now on; commit. Raises Forbidden for all but an owner."""
    lock_as_owner(session, actor)
    row = SupportWindowRow(environment_id=actor.environment_id, account_id=actor.account_id)
    _open(row, actor, span, wall)
    session.add(row)
    session.flush()
    _record(session, actor, EventName.SUPPORT_ALLOWED, row, wall)
    session.commit()


def answer(
    session: Session, actor: Actor, window_id: int, wall: WallNow, *, accepted: bool
) -> None:
    """Let staff look who asked, or refuse; commit.

    Raises Forbidden, NotFound, and Conflict for a wish that has its answer, or has lapsed.
    """
    lock_as_owner(session, actor)
    row = _mine(session, actor, window_id)
    if row.opened_at is not None or row.closed_at is not None:
        raise Conflict("the wish has its answer")
    if row.asked_at is not None and row.asked_at <= wall - ASKABLE:
        raise Conflict("the wish has lapsed")
    if accepted:
        _open(row, actor, ACCEPTED, wall)
    else:
        row.closed_at = wall
    told = EventName.SUPPORT_ALLOWED if accepted else EventName.SUPPORT_DECLINED
    _record(session, actor, told, row, wall)
    _tell_who_asked(session, actor, row)
    session.commit()


def close(session: Session, actor: Actor, window_id: int, wall: WallNow) -> None:
    """Let nobody look any more: views that it allowed end at their next request; commit.

    Raises Forbidden and NotFound. One that is closed stays so.
    """
    lock_as_owner(session, actor)
    row = _mine(session, actor, window_id)
    if row.closed_at is None:
        row.closed_at = wall
        _record(session, actor, EventName.SUPPORT_CLOSED, row, wall)
    session.commit()


def ask(
    session: Session, who: StaffMember, account_id: int, reason: str, ticket: str, wall: WallNow
) -> None:
    """Ask the owners to let staff look, by mail and on their page; commit.

    Raises NotFound, and Conflict while another wish waits.
    """
    scope = who.actor.scope
    key = (scope.environment_id, account_id)
    if session.get(AccountRow, key, with_for_update={"key_share": True}) is None:
        raise NotFound("account")
    if _waits(session, scope, account_id, wall):
        raise Conflict("a wish waits for its answer")
    row = SupportWindowRow(
        environment_id=scope.environment_id,
        account_id=account_id,
        staff_id=who.actor.staff_id,
        reason=reason,
        ticket=ticket,
        asked_at=wall,
    )
    session.add(row)
    session.flush()
    doer = Doer(f"staff:{who.actor.staff_id}", account_id, address=who.actor.address)
    record(
        session, scope, doer, EventName.SUPPORT_ASKED, f"support_window:{row.id}", wall,
        staff=who.name, reason=reason, ticket=ticket,
    )  # fmt: skip
    post(session, scope, account_id, SupportAsked(row.id, who.name, reason, ticket))
    session.commit()


def window_that_allows(
    session: Session, scope: Scope, account_id: int, wall: WallNow
) -> SupportWindowRow | None:
    """The one that stays open longest; it cannot be closed before this commits."""
    row = SupportWindowRow
    return session.scalar(
        select(row)
        .where(
            row.environment_id == scope.environment_id,
            row.account_id == account_id,
            row.closed_at.is_(None),
            row.opened_at <= wall,
            row.ends_at > wall,
        )
        .order_by(row.ends_at.desc(), row.id)
        .limit(1)
        .with_for_update(read=True)
    )


def _tell_who_asked(session: Session, actor: Actor, row: SupportWindowRow) -> None:
    """By mail, while they are still of the staff."""
    asker = session.get_one(StaffRow, (row.environment_id, row.staff_id))
    account = session.get_one(AccountRow, (row.environment_id, row.account_id))
    answered = AccessAnswered(row.id, account.id, account.name, row.ticket, row.ends_at)
    if asker.ended_at is None:
        post_to_staff(session, actor.scope, [asker], answered)


def _waits(session: Session, scope: Scope, account_id: int, wall: WallNow) -> bool:
    row = SupportWindowRow
    waiting = select(row.id).where(
        row.environment_id == scope.environment_id,
        row.account_id == account_id,
        row.opened_at.is_(None),
        row.closed_at.is_(None),
        row.asked_at > wall - ASKABLE,
    )
    return session.scalar(waiting.limit(1)) is not None


def _open(row: SupportWindowRow, actor: Actor, span: timedelta, wall: WallNow) -> None:
    row.opened_by_id, row.opened_at, row.ends_at = actor.person_id, wall, wall + span


def _mine(session: Session, actor: Actor, window_id: int) -> SupportWindowRow:
    """Locked, as it is now. Raises NotFound for another account's."""
    row = session.scalar(
        select(SupportWindowRow)
        .where(
            SupportWindowRow.environment_id == actor.environment_id,
            SupportWindowRow.account_id == actor.account_id,
            SupportWindowRow.id == window_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("window")
    return row


def _record(
    session: Session, actor: Actor, event: EventName, row: SupportWindowRow, wall: WallNow
) -> None:
    record(session, actor.scope, doer_of(actor), event, f"support_window:{row.id}", wall)
