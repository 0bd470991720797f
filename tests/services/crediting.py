"""What the staff and the processor give back, as tests say it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.credit_notes import Destination
from portal.models.credit_notes import CreditNoteLineRow, CreditNoteRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import AccountBalanceRow, TransferRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import InstanceRow
from portal.services import crediting, removing
from portal.services.credit_notes import Proposal
from portal.services.crediting import Correction
from portal.services.recording import Doer
from portal.services.till import Till as Counter
from portal.services.verifying import verify
from tests.services.paying import Till
from tests.support.world import World

BALANCE, CARD = Destination.BALANCE, Destination.CARD


@dataclass
class Desk:
    """One world and its till, and the staff."""

    world: World
    till: Till

    def credit(
        self,
        number: int,
        amount: str | None = None,
        *,
        line: int | None = None,
        to: Destination = BALANCE,
        reason: str = "It did not work.",
    ) -> int:
        with self.world.session() as session:
            asked = _asked(number, amount, line, to, reason)
            return crediting.correct(self.counter(session), asked)

    def foresee(
        self, number: int, amount: str | None = None, to: Destination = BALANCE
    ) -> Proposal:
        with self.world.session() as session:
            asked = _asked(number, amount, None, to, "Only looking.")
            return crediting.foresee(session, self.world.scope, asked)

    def end(self, instance_id: int, reason: str = "Asked to.") -> tuple[int, ...]:
        with self.world.session() as session:
            return removing.end(self.counter(session), instance_id, reason)

    def counter(self, session: Session) -> Counter:
        world = self.world
        return Counter(session, world.gateway, world.scope, world.wall, Doer("staff:ann"))

    def notes(self, actor: Actor) -> list[CreditNoteRow]:
        mine = select(CreditNoteRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return list(session.scalars(mine.order_by(CreditNoteRow.number)))

    def lines(self, number: int) -> list[tuple[str, int]]:
        """Kind and amount of each line of one credit note."""
        with self.world.session() as session:
            note = session.scalars(select(CreditNoteRow).filter_by(number=number)).one()
            lines = select(CreditNoteLineRow).filter_by(credit_note_id=note.id)
            rows = session.scalars(lines.order_by(CreditNoteLineRow.position))
            return [(row.kind, row.amount_minor) for row in rows]

    def invoice(self, actor: Actor, back: int = 1) -> InvoiceRow:
        mine = select(InvoiceRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return session.scalars(mine.order_by(InvoiceRow.number.desc())).all()[back - 1]

    def instance(self, actor: Actor, number: int = 0) -> InstanceRow:
        mine = select(InstanceRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return session.scalars(mine.order_by(InstanceRow.id)).all()[number]

    def payment(self, actor: Actor) -> str:
        """The processor's id of what the account paid last."""
        mine = select(PaymentAttemptRow).filter_by(account_id=actor.account_id, status="succeeded")
        with self.world.session() as session:
            rows = session.scalars(mine.order_by(PaymentAttemptRow.id.desc()))
            return rows.first().reference

    def balance(self, actor: Actor) -> tuple[int, int]:
        """Credit and carried cents."""
        key = (actor.environment_id, actor.account_id)
        with self.world.session() as session:
            row = session.get(AccountBalanceRow, key)
            return (row.balance_minor, row.carried_minor) if row else (0, 0)

    def on(self, account: str) -> int:
        """Credits minus debits on one of the ledger's accounts."""
        with self.world.session() as session:
            rows = session.scalars(select(TransferRow)).all()
        return sum(r.amount_minor * ((r.credit == account) - (r.debit == account)) for r in rows)

    def agrees(self) -> bool:
        with self.world.session() as session:
            return verify(session, self.world.scope) == []


def _asked(
    number: int, amount: str | None, line: int | None, to: Destination, reason: str
) -> Correction:
    return Correction(number, line, Decimal(amount) if amount else None, to, reason)
