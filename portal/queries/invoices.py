"""Invoices and receipts: what was issued, as it was shown when it was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.quotes import LineKind
from portal.domain.working import Working, from_plain
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow


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


@dataclass(frozen=True, slots=True)
class Purchase:
    """status: reserved (no answer from the bank yet), settled or failed."""

    id: int
    instance_id: int
    status: str


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


def get_purchase(session: Session, actor: Actor, purchase_id: int) -> Purchase:
    """Raises NotFound for another account's purchase."""
    key = (actor.environment_id, purchase_id)
    row = session.get(PurchaseRow, key, populate_existing=True)
    if row is None or row.account_id != actor.account_id:
        raise NotFound("purchase")
    return Purchase(row.id, row.instance_id, row.status)


def _mine(actor: Actor) -> Select[InvoiceRow]:
    return select(InvoiceRow).where(
        InvoiceRow.environment_id == actor.environment_id,
        InvoiceRow.account_id == actor.account_id,
    )


def _lines(session: Session, row: InvoiceRow) -> tuple[InvoiceLine, ...]:
    statement = select(InvoiceLineRow).where(
        InvoiceLineRow.environment_id == row.environment_id, InvoiceLineRow.invoice_id == row.id
    )
    return tuple(
        InvoiceLine(
            kind=LineKind(line.kind),
            name=line.name,
            quantity=line.quantity,
            amount=Money(line.amount_minor, row.currency),
            included=line.included,
            working=from_plain(line.working),
        )
        for line in session.scalars(statement.order_by(InvoiceLineRow.position))
    )


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
