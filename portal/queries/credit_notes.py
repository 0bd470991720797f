"""Credit notes as members see them, and what they make of the invoices they correct."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.credit_notes import Cause
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.models.credit_notes import CreditNoteLineRow, CreditNoteRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import RefundRow
from portal.queries.invoices import InvoiceLine, line_of
from portal.queries.purchases import Refunding, refunding_of


@dataclass(frozen=True, slots=True)
class CreditNote:
    """Amounts are positive, lines as they are stored: negative.

    off_invoice, to_card and to_balance sum to the total. refund: of what went to the card.
    """

    id: int
    number: str
    invoice_number: str
    issued_at: datetime
    cause: Cause
    reason: str
    total: Money
    tax: Money
    off_invoice: Money
    to_card: Money
    to_balance: Money
    carried_out: Money
    card_brand: str
    card_last4: str
    refund: Refunding | None
    lines: tuple[InvoiceLine, ...]


def credit_notes(session: Session, actor: Actor) -> tuple[CreditNote, ...]:
    """The account's, newest first, without their lines."""
    found = session.execute(_mine(actor).order_by(CreditNoteRow.number.desc()))
    return tuple(_note(row, number, refund, ()) for row, number, refund in found)


def notes_of(session: Session, actor: Actor, invoice_id: int) -> tuple[CreditNote, ...]:
    """Those that correct one invoice, oldest first, without their lines."""
    wanted = _mine(actor).where(CreditNoteRow.invoice_id == invoice_id)
    found = session.execute(wanted.order_by(CreditNoteRow.number))
    return tuple(_note(row, number, refund, ()) for row, number, refund in found)


def get_credit_note(session: Session, actor: Actor, number: int) -> CreditNote:
    """Raises NotFound for a number of another account."""
    found = session.execute(_mine(actor).where(CreditNoteRow.number == number)).first()
    if found is None:
        raise NotFound("credit note")
    row, invoice_number, refund = found
    return _note(row, invoice_number, refund, lines_of(session, row))


def lines_of(session: Session, row: CreditNoteRow) -> tuple[InvoiceLine, ...]:
    statement = select(CreditNoteLineRow).where(
        CreditNoteLineRow.environment_id == row.environment_id,
        CreditNoteLineRow.credit_note_id == row.id,
    )
    found = session.scalars(statement.order_by(CreditNoteLineRow.position))
    return tuple(line_of(line, row.currency) for line in found)


def number_in_words(number: int) -> str:
    """`CN000001`."""
    return f"CN{number:06d}"


def _mine(actor: Actor) -> Select[CreditNoteRow, int, RefundRow | None]:
    return (
        select(CreditNoteRow, InvoiceRow.number, RefundRow)
        .join(
            InvoiceRow,
            and_(
                InvoiceRow.environment_id == CreditNoteRow.environment_id,
                InvoiceRow.id == CreditNoteRow.invoice_id,
            ),
        )
        .outerjoin(
            RefundRow,
            and_(
                RefundRow.environment_id == CreditNoteRow.environment_id,
                RefundRow.credit_note_id == CreditNoteRow.id,
            ),
        )
        .where(
            CreditNoteRow.environment_id == actor.environment_id,
            CreditNoteRow.account_id == actor.account_id,
        )
        .execution_options(populate_existing=True)
    )


def _note(
    row: CreditNoteRow,
    invoice_number: int,
    refund: RefundRow | None,
    lines: tuple[InvoiceLine, ...],
) -> CreditNote:
    code = row.currency
    return CreditNote(
        id=row.id,
        number=number_in_words(row.number),
        invoice_number=f"{invoice_number:06d}",
        issued_at=row.issued_at.astimezone(UTC),
        cause=Cause(row.cause),
        reason=row.reason,
        total=Money(row.total_minor, code),
        tax=Money(row.tax_minor, code),
        off_invoice=Money(row.off_invoice_minor, code),
        to_card=Money(row.card_minor, code),
        to_balance=Money(row.balance_minor, code),
        carried_out=Money(row.carried_out_minor, code),
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        refund=refunding_of(refund) if refund else None,
        lines=lines,
    )
