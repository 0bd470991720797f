"""A forgotten password: a link by mail, good once and for half an hour, sets another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.events import EventName
from portal.domain.jobs import MAIL_RESET_LINK
from portal.domain.passwords import Weakness
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of, plain_email
from portal.domain.sign_in_notices import (
    PasswordChanged,
    PasswordForgotten,
    Place,
    reset_secret,
)
from portal.domain.throttle import RESET, RESET_ADDRESS, network_of
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.sign_in import ResetLinkRow, ResetWishRow
from portal.queries.identities import linked_issuers
from portal.queries.persons import find_person, find_reset_link, first_membership
from portal.services.devices import forget_others, remember
from portal.services.mailing import post_to
from portal.services.passwords import hash_password, weakness_of
from portal.services.queueing import enqueue
from portal.services.recording import Doer, record
from portal.services.safekeeping import Safe
from portal.services.sessions import end
from portal.services.throttling import Paused, admit, watched
from portal.services.till import doer_of
from portal.services.voiding import void_ways_in

LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Reset:
    """The new password holds. device: what the browser's cookie is to hold from now on."""

    device: str


def ask(session: Session, scope: Scope, email: str, origin: Origin, wall: WallNow) -> Paused | None:
    """Leave it to the worker to mail a link to the address, where it is somebody's; commit.

    Nothing tells whether it is: neither the answer nor the time that it takes.
    """
    tries = watched(RESET, plain_email(email)), watched(RESET_ADDRESS, network_of(origin.address))
    admitted = admit(session, scope, tries, wall)
    if isinstance(admitted, Paused):
        return admitted
    place = origin.place(wall)
    session.add(
        ResetWishRow(
            environment_id=scope.environment_id,
            email=email,
            address=place.address,
            user_agent=place.user_agent,
            asked_at=wall,
        )
    )
    enqueue(session, scope, MAIL_RESET_LINK)
    session.commit()
    return None


def mail_waiting(session: Session, scope: Scope, wall: WallNow, safe: Safe) -> None:
    """Mail a link for each wish whose address is somebody's, and forget it; commits each.

    Nobody gets one that would be over when it comes. Safe beside itself.
    """
    while (wish := _claim(session, scope)) is not None:
        person = find_person(session, scope, wish.email)
        membership = first_membership(session, scope, person) if person else None
        is_late = wish.asked_at + LIFE <= wall
        if membership is not None and not is_late:
            place = Place(wish.asked_at, wish.address, wish.user_agent)
            _mail_link(session, scope, membership, place, safe)
        session.delete(wish)
        session.commit()
    session.rollback()


def reset(
    session: Session, scope: Scope, written: str, password: str, origin: Origin, wall: WallNow
) -> Reset | Weakness | None:
    """Set the password, end every session, and spend all links of the person; commit.

    None when the link is spent, over or none of ours. Two at once: one of them sets it. The browser
    is known from now on: whoever tries the old password cannot keep its owner out.
    """
    link = find_reset_link(session, scope, written, wall)
    if link is None:
        return None
    person = session.get_one(PersonRow, (scope.environment_id, link.person_id))
    weak = weakness_of(session, scope, password, person.email)
    if weak is not None:
        return weak
    hashed = hash_password(password)
    session.refresh(person, with_for_update={"key_share": True})
    session.refresh(link)
    membership = first_membership(session, scope, person)
    if link.used_at is not None or membership is None:
        session.rollback()
        return None
    person.password_hash = hashed
    device = _begin_anew(session, scope, membership, origin, wall)
    session.commit()
    return Reset(device)


def _claim(session: Session, scope: Scope) -> ResetWishRow | None:
    return session.scalar(
        select(ResetWishRow)
        .where(ResetWishRow.environment_id == scope.environment_id)
        .order_by(ResetWishRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _mail_link(
    session: Session, scope: Scope, membership: MembershipRow, place: Place, safe: Safe
) -> None:
    at = place.at
    nonce, expires_at = secrets.token_hex(16), at + LIFE
    session.add(
        ResetLinkRow(
            environment_id=scope.environment_id,
            person_id=membership.person_id,
            digest=digest_of(reset_secret(safe.master, nonce)),
            created_at=at,
            expires_at=expires_at,
        )
    )
    notice = PasswordForgotten(nonce, place, expires_at)
    post_to(session, scope, membership.account_id, membership.person_id, notice)
    doer = Doer("anonymous", membership.account_id, address=place.address)
    subject = f"person:{membership.person_id}"
    record(session, scope, doer, EventName.PASSWORD_FORGOTTEN, subject, at)


def _begin_anew(
    session: Session, scope: Scope, membership: MembershipRow, origin: Origin, wall: WallNow
) -> str:
    """Let nothing that the old password opened stay open; the device that is known from now on."""
    person_id, account_id = membership.person_id, membership.account_id
    void_ways_in(session, scope, person_id, wall)
    role, address = Role(membership.role), origin.stored_address
    actor = Actor(person_id, account_id, scope, role, address)
    end(session, actor, wall)
    device = remember(session, scope, person_id, origin.device, wall)
    forget_others(session, scope, person_id, device)
    doer = doer_of(actor)
    record(session, scope, doer, EventName.PASSWORD_RESET, f"person:{person_id}", wall)
    linked = linked_issuers(session, scope, person_id)
    notice = PasswordChanged(person_id, origin.place(wall), by_link=True, issuers=linked)
    post_to(session, scope, account_id, person_id, notice)
    return device
