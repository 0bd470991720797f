"""Where one step of a payment happens."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.services.recording import Doer


@dataclass(frozen=True, slots=True)
class Till:
    """The database, the processor, the environment, the real now, and who acts."""

    session: Session
    gateway: PaymentGateway
    scope: Scope
    wall: WallNow
    doer: Doer

    @property
    def environment_id(self) -> int:
        return self.scope.environment_id

    def about(self, account_id: int) -> Till:
        """The same for what concerns one account: its events are recorded with it."""
        return replace(self, doer=replace(self.doer, account_id=account_id))


def till_of(actor: Actor, session: Session, gateway: PaymentGateway, wall: WallNow) -> Till:
    """A member's."""
    return Till(session, gateway, actor.scope, wall, doer_of(actor))


def doer_of(actor: Actor) -> Doer:
    return Doer(f"person:{actor.person_id}", actor.account_id, actor.person_id)
