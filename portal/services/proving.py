"""Somebody who is signed in shows once more who they are, before they change how they sign in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.events import EventName
from portal.domain.notices import Notice
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin
from portal.domain.sign_in_notices import Place
from portal.domain.throttle import PROOF
from portal.models.accounts import PersonRow
from portal.models.sign_in import ChallengeRow
from portal.services.mailing import post_to
from portal.services.passwords import is_right, still_holds
from portal.services.recording import record
from portal.services.throttling import Admitted, Paused, Refused, admit, forgive, watched
from portal.services.till import doer_of


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in: session_id is of their session."""

    session: Session
    actor: Actor
    session_id: int
    origin: Origin
    wall: WallNow

    @property
    def scope(self) -> Scope:
        return self.actor.scope

    @property
    def place(self) -> Place:
        return self.origin.place(self.wall)

    def person(self) -> PersonRow:
        return self.session.get_one(PersonRow, (self.actor.environment_id, self.actor.person_id))

    def record(self, event: EventName, **detail: object) -> None:
        """Add what they did to the transaction."""
        subject = f"person:{self.actor.person_id}"
        doer = doer_of(self.actor)
        record(self.session, self.scope, doer, event, subject, self.wall, **detail)

    def tell(self, notice: Notice) -> None:
        """Add a mail to themselves to the transaction."""
        actor = self.actor
        post_to(self.session, self.scope, actor.account_id, actor.person_id, notice)


def prove(
    visit: Visit, password: str, code_is_right: Callable[[], bool] = lambda: True
) -> Admitted | Refused | Paused:
    """Whether the password and the code are right. What was wrong is counted and committed.

    Raises Forbidden. What was right is left to the caller to commit, with what it opened.
    """
    visit.actor.require(Permission.SELF_UPDATE)
    person = visit.person()
    stored = person.password_hash
    tried = watched(PROOF, str(visit.session_id))
    admitted = admit(visit.session, visit.scope, [tried], visit.wall)
    if isinstance(admitted, Paused):
        return admitted
    holds = is_right(stored, password) and still_holds(visit.session, person, stored)
    if not (holds and code_is_right()):
        visit.record(EventName.PROOF_FAILED)
        visit.session.commit()
        return Refused()
    forgive(visit.session, visit.scope, admitted)
    return admitted


def end_challenges(session: Session, scope: Scope, person_id: int, wall: WallNow) -> None:
    """Let no sign-in go on that began with what is not right any more."""
    session.execute(
        update(ChallengeRow)
        .where(
            ChallengeRow.environment_id == scope.environment_id,
            ChallengeRow.person_id == person_id,
            ChallengeRow.used_at.is_(None),
        )
        .values(used_at=wall)
    )
