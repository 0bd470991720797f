"""Where one step of a payment happens."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow
from portal.models.accounts import AccountRow
from portal.queries.accounts import billing_now
from portal.services.recording import Doer


@dataclass(frozen=True, slots=True)
class Till:
    """The database, the processor, the environment, the real now, and who acts.

    as_of: the instant a step belongs to that is taken late; None when it happens now.
    """

    session: Session
    gateway: PaymentGateway
    scope: Scope
    wall: WallNow
    doer: Doer
    as_of: BillingNow | None = None

    @property
    def environment_id(self) -> int:
        return self.scope.environment_id

    def account_now(self, account_id: int) -> BillingNow:
        """The instant that rows about the account are written with."""
        if self.as_of is not None:
            return self.as_of
        account = self.session.get_one(AccountRow, (self.environment_id, account_id))
        return billing_now(account, self.wall)

    def about(self, account_id: int) -> Till:
        """The same for what concerns one account: its events are recorded with it."""
        return replace(self, doer=replace(self.doer, account_id=account_id))


def till_of(actor: Actor, session: Session, gateway: PaymentGateway, wall: WallNow) -> Till:
    """A member's."""
    return Till(session, gateway, actor.scope, wall, doer_of(actor))


def doer_of(actor: Actor) -> Doer:
    if actor.staff_id is not None:
        name, behalf_of = f"staff:{actor.staff_id}", actor.person_id
        return Doer(name, actor.account_id, behalf_of=behalf_of, address=actor.address)
    name, address = f"person:{actor.person_id}", actor.address
    return Doer(name, actor.account_id, actor.person_id, address=address)
