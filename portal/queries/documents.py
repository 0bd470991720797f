"""What an invoice said when it was issued, what paid it, and the PDFs that were made of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.credit_notes import Cause
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.credit_notes import CreditNoteDocumentRow, CreditNoteRow
from portal.models.invoices import (
    CollectionRow,
    InvoiceDocumentRow,
    InvoiceLineRow,
    InvoiceRow,
    ReceiptDocumentRow,
)
from portal.queries.credit_notes import lines_of, number_in_words
from portal.queries.invoice_money import find_payment
from portal.queries.invoices import InvoiceLine, line_of

DEFAULT_LOCALE = "en"

DocumentRow = InvoiceDocumentRow | CreditNoteDocumentRow | ReceiptDocumentRow
DocumentTable = type[InvoiceDocumentRow] | type[CreditNoteDocumentRow] | type[ReceiptDocumentRow]


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """An invoice as it was issued, whatever became of it since; made of rows that never change.

    locale: of the account's first owner. total: lines and taxes.
    """

    number: str
    issued_at: datetime
    status: str
    account_name: str
    zone: str
    locale: str
    total: Money
    tax: Money
    charged: Money
    carried_out: Money
    credited: Money
    card_brand: str
    card_last4: str
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class IssuedCreditNote:
    """A credit note as it was issued. total: with tax; off_invoice, to_card and to_balance sum to
    it."""

    number: str
    invoice_number: str
    issued_at: datetime
    account_name: str
    zone: str
    locale: str
    cause: Cause
    reason: str
    total: Money
    tax: Money
    off_invoice: Money
    to_card: Money
    to_balance: Money
    card_brand: str
    card_last4: str
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """What paid an invoice that was issued open; nothing of it changes once it is paid.

    number: of the invoice. issued_at: when it was paid. owed: as the invoice was issued;
    taken_off: of that by credit notes before it was paid. paid: by the card.
    """

    number: str
    invoice_issued_at: datetime
    issued_at: datetime
    account_name: str
    zone: str
    locale: str
    owed: Money
    taken_off: Money
    paid: Money
    card_brand: str
    card_last4: str

    @property
    def to_balance(self) -> Money:
        """What was paid beyond what was left to pay."""
        return self.paid - (self.owed - self.taken_off)


@dataclass(frozen=True, slots=True)
class Document:
    """sha256: of the content as it was made, in hex."""

    content: bytes
    sha256: str


def invoice_id_of(session: Session, scope: Scope, account_id: int, number: int) -> int:
    """Raises NotFound for a number of another account."""
    found = session.scalar(
        select(InvoiceRow.id).where(
            InvoiceRow.environment_id == scope.environment_id,
            InvoiceRow.account_id == account_id,
            InvoiceRow.number == number,
        )
    )
    if found is None:
        raise NotFound("invoice")
    return found


def credit_note_id_of(session: Session, scope: Scope, account_id: int, number: int) -> int:
    """Raises NotFound for a number of another account."""
    found = session.scalar(
        select(CreditNoteRow.id).where(
            CreditNoteRow.environment_id == scope.environment_id,
            CreditNoteRow.account_id == account_id,
            CreditNoteRow.number == number,
        )
    )
    if found is None:
        raise NotFound("credit note")
    return found


def find_document(
    session: Session, scope: Scope, kept: DocumentTable, row_id: int
) -> Document | None:
    """The stored PDF, as it is stored."""
    key = (scope.environment_id, row_id)
    found = session.get(kept, key, populate_existing=True)
    row = cast("DocumentRow | None", found)
    return Document(row.content, row.sha256) if row else None


def undocumented(session: Session, scope: Scope, kept: DocumentTable, most: int) -> list[int]:
    """Ids of up to `most` papers without a PDF, oldest first."""
    id_, column, where = _papers(kept)
    of_environment = id_.class_.environment_id
    document = select(column).where(kept.environment_id == of_environment, column == id_)
    waiting = select(id_).where(of_environment == scope.environment_id, *where, ~document.exists())
    return list(session.scalars(waiting.order_by(id_).limit(most)))


def _papers(kept: DocumentTable) -> tuple[Any, Any, tuple[ColumnElement[bool], ...]]:
    """Of the papers that `kept` has the PDFs of: their id, its name there, and which they are."""
    if kept is CreditNoteDocumentRow:
        return CreditNoteRow.id, CreditNoteDocumentRow.credit_note_id, ()
    if kept is ReceiptDocumentRow:
        paid = (CollectionRow.status == "paid",)
        return CollectionRow.invoice_id, ReceiptDocumentRow.invoice_id, paid
    return InvoiceRow.id, InvoiceDocumentRow.invoice_id, ()


def issued_invoice(session: Session, scope: Scope, invoice_id: int) -> IssuedInvoice:
    """Everything that its paper says."""
    row = session.get_one(InvoiceRow, (scope.environment_id, invoice_id))
    account = session.get_one(AccountRow, (scope.environment_id, row.account_id))
    code = row.currency
    return IssuedInvoice(
        number=f"{row.number:06d}",
        issued_at=row.issued_at.astimezone(UTC),
        status=row.status,
        account_name=account.name,
        zone=account.zone,
        locale=_locale_of(session, scope, row.account_id),
        total=Money(row.total_minor, code),
        tax=Money(row.tax_minor, code),
        charged=Money(row.charged_minor, code),
        carried_out=Money(row.carried_out_minor, code),
        credited=Money(row.credited_minor, code),
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        lines=_lines_of(session, row),
    )


def issued_receipt(session: Session, scope: Scope, invoice_id: int) -> IssuedReceipt:
    """Everything that the receipt says. Raises NotFound for an invoice that had to be paid at once,
    or is not paid."""
    row = session.get_one(InvoiceRow, (scope.environment_id, invoice_id))
    payment = find_payment(session, row)
    if payment is None:
        raise NotFound("receipt")
    account = session.get_one(AccountRow, (scope.environment_id, row.account_id))
    collection = session.get_one(CollectionRow, (scope.environment_id, invoice_id))
    return IssuedReceipt(
        number=f"{row.number:06d}",
        invoice_issued_at=row.issued_at.astimezone(UTC),
        issued_at=payment.at,
        account_name=account.name,
        zone=account.zone,
        locale=_locale_of(session, scope, row.account_id),
        owed=Money(row.charged_minor, row.currency),
        taken_off=Money(collection.credited_minor, row.currency),
        paid=payment.amount,
        card_brand=payment.card_brand,
        card_last4=payment.card_last4,
    )


def issued_credit_note(session: Session, scope: Scope, note_id: int) -> IssuedCreditNote:
    """Everything that its paper says."""
    row = session.get_one(CreditNoteRow, (scope.environment_id, note_id))
    account = session.get_one(AccountRow, (scope.environment_id, row.account_id))
    invoice = session.get_one(InvoiceRow, (scope.environment_id, row.invoice_id))
    code = row.currency
    return IssuedCreditNote(
        number=number_in_words(row.number),
        invoice_number=f"{invoice.number:06d}",
        issued_at=row.issued_at.astimezone(UTC),
        account_name=account.name,
        zone=account.zone,
        locale=_locale_of(session, scope, row.account_id),
        cause=Cause(row.cause),
        reason=row.reason,
        total=Money(row.total_minor, code),
        tax=Money(row.tax_minor, code),
        off_invoice=Money(row.off_invoice_minor, code),
        to_card=Money(row.card_minor, code),
        to_balance=Money(row.balance_minor, code),
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        lines=lines_of(session, row),
    )


def _lines_of(session: Session, row: InvoiceRow) -> tuple[InvoiceLine, ...]:
    lines = select(InvoiceLineRow).where(
        InvoiceLineRow.environment_id == row.environment_id, InvoiceLineRow.invoice_id == row.id
    )
    found = session.scalars(lines.order_by(InvoiceLineRow.position))
    return tuple(line_of(line, row.currency) for line in found)


def _locale_of(session: Session, scope: Scope, account_id: int) -> str:
    owners = (
        select(PersonRow.locale)
        .join(
            MembershipRow,
            (MembershipRow.environment_id == PersonRow.environment_id)
            & (MembershipRow.person_id == PersonRow.id),
        )
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
            MembershipRow.role == Role.OWNER,
        )
    )
    return session.scalar(owners.order_by(MembershipRow.id).limit(1)) or DEFAULT_LOCALE
