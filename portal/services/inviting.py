"""Invitations by mail: sent, sent again, withdrawn."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Role
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.domain.sign_in_notices import Invited, invitation_secret
from portal.domain.throttle import INVITED, INVITING
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.invitations import InvitationRow
from portal.services.mailing import post_to_address
from portal.services.members import lock_as_owner
from portal.services.recording import record
from portal.services.safekeeping import Safe
from portal.services.throttling import Admitted, Paused, admit, watched
from portal.services.till import doer_of
from portal.services.uninviting import drop

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail is on its way to `email`."""

    email: str


class Needless(Enum):
    """Why nobody was invited."""

    MEMBER = auto()
    INVITED = auto()


def invite(
    session: Session, actor: Actor, email: str, role: Role, wall: WallNow, safe: Safe
) -> Sent | Needless | Paused:
    """Mail a link that makes who follows it a member; commit. Raises Forbidden.

    Answers alike whether or not the address belongs to another account.
    """
    actor.require(Permission.MEMBERS_UPDATE)
    admitted = _admit(session, actor, email, wall)
    if isinstance(admitted, Paused):
        return admitted
    lock_as_owner(session, actor)
    needless = _needless(session, actor, email)
    if needless is not None:
        session.rollback()
        return needless
    row = InvitationRow(
        environment_id=actor.environment_id, account_id=actor.account_id, email=email, role=role
    )
    return _send(session, actor, row, EventName.INVITATION_SENT, wall, safe)


def send_again(
    session: Session, actor: Actor, invitation_id: int, wall: WallNow, safe: Safe
) -> Sent | Paused:
    """Mail another link, which works for a week; the one before works no more; commit.

    Raises Forbidden, and NotFound for one that does not wait any more.
    """
    lock_as_owner(session, actor)
    email = _get(session, actor, invitation_id).email
    session.rollback()
    admitted = _admit(session, actor, email, wall)
    if isinstance(admitted, Paused):
        return admitted
    lock_as_owner(session, actor)
    row = _get(session, actor, invitation_id)
    return _send(session, actor, row, EventName.INVITATION_SENT_AGAIN, wall, safe)


def withdraw(session: Session, actor: Actor, invitation_id: int, wall: WallNow) -> None:
    """Let a link work no more; commit. Raises as `send_again`."""
    lock_as_owner(session, actor)
    drop(session, actor, _get(session, actor, invitation_id), wall)
    session.commit()


def _admit(session: Session, actor: Actor, email: str, wall: WallNow) -> Admitted | Paused:
    account = str(actor.account_id)
    tries = watched(INVITED, account, plain_email(email)), watched(INVITING, account)
    return admit(session, actor.scope, tries, wall)


def _send(
    session: Session, actor: Actor, row: InvitationRow, told: EventName, wall: WallNow, safe: Safe
) -> Sent:
    """Store a new link for the invitation, and its mail in the language of who sends it."""
    nonce, email = secrets.token_hex(16), row.email
    inviter = session.get_one(PersonRow, (actor.environment_id, actor.person_id))
    row.person_id, row.digest = inviter.id, digest_of(invitation_secret(safe.master, nonce))
    row.sent_at, row.expires_at = wall, wall + LIFE
    session.add(row)
    session.flush()
    account = session.get_one(AccountRow, (actor.environment_id, actor.account_id))
    notice = Invited(nonce, inviter.name, account.name, Role(row.role), row.expires_at)
    post_to_address(session, actor.scope, actor.account_id, email, inviter.locale, notice)
    detail = {"email": email, "role": row.role}
    doer, subject = doer_of(actor), f"invitation:{row.id}"
    record(session, actor.scope, doer, told, subject, wall, **detail)
    session.commit()
    return Sent(email)


def _needless(session: Session, actor: Actor, email: str) -> Needless | None:
    same = plain_email(email)
    member = session.scalar(
        select(MembershipRow.id)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == actor.environment_id,
            MembershipRow.account_id == actor.account_id,
            PersonRow.environment_id == actor.environment_id,
            func.lower(PersonRow.email) == same,
        )
    )
    invited = session.scalar(
        select(InvitationRow.id).where(
            InvitationRow.environment_id == actor.environment_id,
            InvitationRow.account_id == actor.account_id,
            func.lower(InvitationRow.email) == same,
        )
    )
    if member is not None:
        return Needless.MEMBER
    return Needless.INVITED if invited is not None else None


def _get(session: Session, actor: Actor, invitation_id: int) -> InvitationRow:
    """Locked, as it is now."""
    row = session.scalar(
        select(InvitationRow)
        .where(
            InvitationRow.environment_id == actor.environment_id,
            InvitationRow.account_id == actor.account_id,
            InvitationRow.id == invitation_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("invitation")
    return row
