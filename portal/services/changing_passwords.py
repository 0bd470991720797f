"""A person changes their own password."""

from __future__ import annotations

from dataclasses import dataclass

from portal.domain.events import EventName
from portal.domain.passwords import Weakness
from portal.domain.sign_in_notices import PasswordChanged
from portal.models.accounts import SessionRow
from portal.services.devices import forget_others
from portal.services.passwords import hash_password, weakness_of
from portal.services.proving import Visit, prove
from portal.services.sessions import end, rotate
from portal.services.throttling import Paused, Refused
from portal.services.voiding import void_ways_in


@dataclass(frozen=True, slots=True)
class Changed:
    """sid: the session's new id; all other sessions have ended."""

    sid: str


def change_password(visit: Visit, old: str, new: str) -> Changed | Weakness | Refused | Paused:
    """Set a new password for who knows the old one; commit. Raises Forbidden."""
    weak = weakness_of(visit.session, visit.scope, new, visit.person().email)
    if weak is not None:
        return weak
    outcome = prove(visit, old)
    if isinstance(outcome, Refused | Paused):
        return outcome
    session, actor = visit.session, visit.actor
    visit.person().password_hash = hash_password(new)
    void_ways_in(session, visit.scope, actor.person_id, visit.wall)
    end(session, actor, visit.wall, SessionRow.id != visit.session_id)
    forget_others(session, visit.scope, actor.person_id, visit.origin.device)
    visit.record(EventName.PASSWORD_CHANGED)
    visit.tell(PasswordChanged(actor.person_id, visit.place, by_link=False))
    sid = rotate(session, visit.scope, visit.session_id)
    session.commit()
    return Changed(sid)
