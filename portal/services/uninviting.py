"""Invitations that work no more: one, or all that somebody sent who may not invite now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.invitations import InvitationRow
from portal.services.recording import record
from portal.services.till import doer_of


def drop(session: Session, actor: Actor, row: InvitationRow, wall: WallNow) -> None:
    """Let a link work no more."""
    told, subject = EventName.INVITATION_WITHDRAWN, f"invitation:{row.id}"
    record(session, actor.scope, doer_of(actor), told, subject, wall, email=row.email)
    session.delete(row)


def drop_those_of(session: Session, actor: Actor, person_id: int, wall: WallNow) -> None:
    """Let none work that this person sent last for the actor's account."""
    theirs = (
        select(InvitationRow)
        .where(
            InvitationRow.environment_id == actor.environment_id,
            InvitationRow.account_id == actor.account_id,
            InvitationRow.person_id == person_id,
        )
        .order_by(InvitationRow.id)
        .with_for_update()
    )
    for row in session.scalars(theirs):
        drop(session, actor, row, wall)
