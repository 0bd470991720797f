"""More than a soft limit allows, for tests: the account, the reports, and what is billed for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.usage import ArrearRow, CounterRow
from portal.queries.billing import next_bills
from portal.services.verifying_usage import verify_usage
from tests.services.changing import APRIL_1, Office
from tests.services.paying import Till
from tests.services.using import fates, used
from tests.support.world import World
from tests.unit.samples import instant

LIMIT = 500_000
"""Messages that Business brings each month; each one more is $0.0008, on Enterprise $0.0006."""


@dataclass
class Meterage:
    world: World
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        self.office = Office(self.world, Till(self.world))

    def account(self, price: str = "business_monthly_usd", plan: str = "business") -> Actor:
        self.at("2026-04-01")
        return self.office.account(APRIL_1, plan=plan, price=price)

    def at(self, text: str) -> None:
        self.world.now = instant(text)

    def use(self, actor: Actor, units: int, at: str = "") -> str:
        """What became of a report of so many messages, now or then."""
        happened = instant(at) if at else self.world.now
        [fate] = fates(self.world, actor, used("messages", units, happened))
        return fate

    def run(self, at: str) -> None:
        self.at(at)
        self.office.run_due()

    def bills(self, actor: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
        """Date of each invoice, and name and amount of its lines, after the first period's."""
        with self.world.session() as session:
            invoices = session.scalars(
                select(InvoiceRow)
                .filter_by(account_id=actor.account_id)
                .order_by(InvoiceRow.number)
            ).all()
            return [(f"{row.issued_at:%Y-%m-%d}", _lines(session, row)) for row in invoices[1:]]

    def last_invoice(self, actor: Actor) -> int:
        mine = select(InvoiceRow.id).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return session.scalars(mine.order_by(InvoiceRow.number.desc())).first() or 0

    def arrears(self, actor: Actor) -> list[tuple[int, bool, bool]]:
        """Units of each, whether they have a price, and whether they are billed."""
        with self.world.session() as session:
            rows = session.scalars(
                select(ArrearRow).filter_by(account_id=actor.account_id).order_by(ArrearRow.id)
            )
            return [(int(r.units), r.price_id is not None, r.invoice_id is not None) for r in rows]

    def unsettled(self, actor: Actor) -> Decimal:
        with self.world.session() as session:
            rows = session.scalars(select(CounterRow).filter_by(account_id=actor.account_id))
            return sum((row.excess - row.settled for row in rows), Decimal(0))

    @property
    def ledgers_agree(self) -> bool:
        with self.world.session() as session:
            found = verify_usage(session, self.world.scope)
        return not found and self.office.till.books_agree()

    def foreseen(self, actor: Actor) -> list[tuple[datetime, list[int]]]:
        """Date and amounts of the next bills, as the pages say them."""
        ahead = next_bills(self.world.state(actor))
        assert ahead is not None
        return [
            (b.at, [line.amount.minor for line in b.lines]) for b in (*ahead.today, *ahead.ahead)
        ]


def messages(amount: str) -> tuple[str, str]:
    """What a bill says of them."""
    return ("Messages", amount)


def _lines(session: Session, invoice: InvoiceRow) -> list[tuple[str, str]]:
    mine = select(InvoiceLineRow).filter_by(invoice_id=invoice.id)
    rows = session.scalars(mine.order_by(InvoiceLineRow.position))
    return [(row.name, f"{Decimal(row.amount_minor) / 100:.2f}") for row in rows]
