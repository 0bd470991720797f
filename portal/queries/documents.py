"""What an invoice said when it was issued, and the PDF that was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.invoices import InvoiceDocumentRow, InvoiceLineRow, InvoiceRow
from portal.queries.invoices import InvoiceLine, line_of

DEFAULT_LOCALE = "en"


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


def find_document(session: Session, scope: Scope, invoice_id: int) -> Document | None:
    """The stored PDF, as it is stored."""
    row = session.get(
        InvoiceDocumentRow, (scope.environment_id, invoice_id), populate_existing=True
    )
    return Document(row.content, row.sha256) if row else None


def undocumented(session: Session, scope: Scope, most: int) -> list[int]:
    """Ids of up to `most` invoices without a PDF, oldest first."""
    document = select(InvoiceDocumentRow.invoice_id).where(
        InvoiceDocumentRow.environment_id == InvoiceRow.environment_id,
        InvoiceDocumentRow.invoice_id == InvoiceRow.id,
    )
    waiting = select(InvoiceRow.id).where(
        InvoiceRow.environment_id == scope.environment_id, ~document.exists()
    )
    return list(session.scalars(waiting.order_by(InvoiceRow.id).limit(most)))


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
