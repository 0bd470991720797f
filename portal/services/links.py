"""Sign-in links, which the host asks for and a member follows once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.keys import ApiKey
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.keys import ApiKeyRow, SignInLinkRow
from portal.queries.links import digest_of_link, good_link
from portal.services.recording import Doer, record
from portal.services.sessions import Entered
from portal.services.sign_in import CodeAsked, let_in

LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewLink:
    """written: what goes into the address, and is kept nowhere."""

    written: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """What it came to, and the page that the host wanted shown.

    The host stands for the password, not for the second factor.
    """

    outcome: Entered | CodeAsked
    target: str


def make(
    session: Session,
    scope: Scope,
    account_id: int,
    email: str,
    target: str,
    key: ApiKey,
    wall: WallNow,
) -> NewLink | None:
    """A link for a member of the account; commit. None when nobody there has the address."""
    member = _member(session, scope, account_id, email)
    if member is None:
        return None
    written, expires_at = secrets.token_urlsafe(32), wall + LIFE
    session.add(
        SignInLinkRow(
            environment_id=scope.environment_id,
            membership_id=member.id,
            key_id=key.id,
            digest=digest_of_link(written),
            target=target,
            created_at=wall,
            expires_at=expires_at,
        )
    )
    told, subject = EventName.LINK_MADE, f"person:{member.person_id}"
    doer = Doer(f"key:{key.prefix}", account_id)
    record(session, scope, doer, told, subject, wall, key=key.prefix, key_name=key.name)
    session.commit()
    return NewLink(written, expires_at)


def follow(
    session: Session, scope: Scope, written: str, origin: Origin, wall: WallNow
) -> Followed | None:
    """Let its member in and spend the link; commit. None when it is spent, over or none of ours.

    Two at once: one of them signs in.
    """
    row = session.scalar(good_link(scope, written, wall).with_for_update())
    if row is None:
        session.rollback()
        return None
    row.used_at = wall
    membership = session.get_one(MembershipRow, (scope.environment_id, row.membership_id))
    target = row.target
    _note_use(session, scope, row, membership, origin, wall)
    return Followed(let_in(session, scope, membership, origin, wall), target)


def _note_use(
    session: Session,
    scope: Scope,
    link: SignInLinkRow,
    membership: MembershipRow,
    origin: Origin,
    wall: WallNow,
) -> None:
    """Record whose key lets a member in; a link made before keys were noted names none."""
    key = session.get(ApiKeyRow, (scope.environment_id, link.key_id)) if link.key_id else None
    detail = {"key": key.prefix, "key_name": key.name} if key else {}
    name, account_id = f"person:{membership.person_id}", membership.account_id
    doer = Doer(name, account_id, membership.person_id, address=origin.stored_address)
    record(session, scope, doer, EventName.LINK_USED, name, wall, **detail)


def _member(session: Session, scope: Scope, account_id: int, email: str) -> MembershipRow | None:
    return session.scalar(
        select(MembershipRow)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
            PersonRow.environment_id == scope.environment_id,
            func.lower(PersonRow.email) == email.lower(),
        )
    )
