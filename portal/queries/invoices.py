"""Invoices and receipts: what was issued, as it was shown when it was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.domain.working import Working, from_plain
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import SaleLine


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    kind: LineKind
    name: str
    quantity: int
    amount: Money
    included: bool
    working: Working


@dataclass(frozen=True, slots=True)
class Invoice:
    """total = lines and taxes = charged + carried + taken from the balance - carried before."""

    id: int
    purchase_id: int
    number: str
    issued_at: datetime
    status: str
    total: Money
    charged: Money
    carried_out: Money
    balance_applied: Money
    card_brand: str
    card_last4: str
    lines: tuple[InvoiceLine, ...]


def invoices(session: Session, actor: Actor) -> tuple[Invoice, ...]:
    """The account's invoices, newest first, without their lines."""
    found = session.scalars(_mine(actor).order_by(InvoiceRow.number.desc()))
    return tuple(_invoice(row, ()) for row in found)


def get_invoice(session: Session, actor: Actor, number: int) -> Invoice:
    """Raises NotFound for a number of another account."""
    row = session.scalar(_mine(actor).where(InvoiceRow.number == number))
    if row is None:
        raise NotFound("invoice")
    return _invoice(row, _lines(session, row))


def invoice_of(session: Session, actor: Actor, purchase_id: int) -> Invoice:
    """The invoice of one settled purchase. Raises NotFound."""
    row = session.scalar(_mine(actor).where(InvoiceRow.purchase_id == purchase_id))
    if row is None:
        raise NotFound("invoice")
    return _invoice(row, _lines(session, row))


def line_of(row: SaleLine, code: str) -> InvoiceLine:
    """A line of an invoice or of the quote it follows from, in currency `code`."""
    return InvoiceLine(
        kind=LineKind(row.kind),
        name=row.name,
        quantity=row.quantity,
        amount=Money(row.amount_minor, code),
        included=row.included,
        working=from_plain(row.working),
    )


def _mine(actor: Actor) -> Select[InvoiceRow]:
    return select(InvoiceRow).where(
        InvoiceRow.environment_id == actor.environment_id,
        InvoiceRow.account_id == actor.account_id,
    )


def _lines(session: Session, row: InvoiceRow) -> tuple[InvoiceLine, ...]:
    statement = select(InvoiceLineRow).where(
        InvoiceLineRow.environment_id == row.environment_id, InvoiceLineRow.invoice_id == row.id
    )
    found = session.scalars(statement.order_by(InvoiceLineRow.position))
    return tuple(line_of(line, row.currency) for line in found)


def _invoice(row: InvoiceRow, lines: tuple[InvoiceLine, ...]) -> Invoice:
    return Invoice(
        id=row.id,
        purchase_id=row.purchase_id,
        number=f"{row.number:06d}",
        issued_at=row.issued_at.astimezone(UTC),
        status=row.status,
        total=Money(row.total_minor, row.currency),
        charged=Money(row.charged_minor, row.currency),
        carried_out=Money(row.carried_out_minor, row.currency),
        balance_applied=Money(row.balance_applied_minor, row.currency),
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        lines=lines,
    )
