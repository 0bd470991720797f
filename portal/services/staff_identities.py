"""Staff come in by an identity provider of theirs, which gives the first step or both."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.identities import Identity
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin
from portal.domain.support import RECENT
from portal.models.identities import StaffIdentityRow
from portal.models.staff import StaffRow, StaffSessionRow
from portal.queries.identities import find_linked_staff, is_staff_linked
from portal.queries.staff import StaffMember, find_staff
from portal.services.sign_in import CodeAsked
from portal.services.staff_sign_in import StaffEntered, ask_code, note, refuse, start
from portal.services.throttling import Refused


def enter(
    session: Session, scope: Scope, identity: Identity, origin: Origin, wall: WallNow
) -> StaffEntered | CodeAsked | Refused:
    """What an identity opens to whom `flask staff add` has named; commit. Source: ADR 0027.

    Without a second step at the provider the code of our authenticator is asked for.
    """
    row = find_linked_staff(session, scope, identity)
    if row is not None:
        session.refresh(row, with_for_update=True)
        row = find_linked_staff(session, scope, identity)  # not reset meanwhile
    else:
        row = _first_time(session, scope, identity, origin, wall)
    has_second_step = row is not None and (identity.has_stepped or row.encrypted is not None)
    if row is None or row.ended_at is not None or not has_second_step:
        session.rollback()
        known = find_staff(session, scope, identity.email) if identity.email else None
        whose = str(known.id if known else "unknown")
        return refuse(session, scope, whose, origin, wall, "provider")
    subject = f"staff:{row.id}"
    note(session, scope, row, EventName.STAFF_IDENTITY_USED, subject, origin, wall)
    if identity.has_stepped:
        return start(session, scope, row, origin, wall, identity.proved_at)
    return ask_code(session, row, wall)


def prove(
    session: Session, who: StaffMember, identity: Identity, origin: Origin, wall: WallNow
) -> Refused | None:
    """Somebody who is in has shown both steps there again, just now; commit. Source: ADR 0033.

    The provider may not have asked them: then its time is an old one, and nothing is proved.
    """
    scope, staff_id = who.actor.scope, who.actor.staff_id
    row, at = find_linked_staff(session, scope, identity), identity.proved_at
    is_fresh = at is not None and wall <= at + RECENT
    if row is None or row.id != staff_id or not (identity.has_stepped and is_fresh):
        return refuse(session, scope, str(staff_id), origin, wall, "proof")
    session.get_one(StaffSessionRow, (scope.environment_id, who.session_id)).proved_at = at
    subject = f"staff:{staff_id}"
    note(session, scope, row, EventName.STAFF_IDENTITY_USED, subject, origin, wall)
    session.commit()
    return None


def _first_time(
    session: Session, scope: Scope, identity: Identity, origin: Origin, wall: WallNow
) -> StaffRow | None:
    """Who has the verified address and is not linked yet, from now on; else None."""
    row = find_staff(session, scope, identity.email) if identity.email else None
    if row is None:
        return None
    session.refresh(row, with_for_update=True)
    if linked := find_linked_staff(session, scope, identity):  # two at once
        return linked
    if row.ended_at is not None or is_staff_linked(session, scope, row.id, identity.issuer):
        return None
    session.add(
        StaffIdentityRow(
            environment_id=scope.environment_id,
            staff_id=row.id,
            issuer=identity.issuer,
            subject=identity.subject,
            created_at=wall,
        )
    )
    session.flush()
    told = EventName.STAFF_IDENTITY_LINKED
    note(session, scope, row, told, f"staff:{row.id}", origin, wall)
    return row
