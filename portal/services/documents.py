"""The PDFs of invoices, credit notes and receipts: made once, kept with their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.errors import Damaged, NotFound
from portal.domain.periods import WallNow
from portal.models.credit_notes import CreditNoteDocumentRow
from portal.models.invoices import InvoiceDocumentRow, ReceiptDocumentRow
from portal.queries.documents import (
    Document,
    DocumentTable,
    IssuedCreditNote,
    IssuedInvoice,
    IssuedReceipt,
    credit_note_id_of,
    find_document,
    invoice_id_of,
    issued_credit_note,
    issued_invoice,
    issued_receipt,
    undocumented,
)
from portal.services.alone import alone

log = structlog.get_logger()
BATCH = 50
Issued = IssuedInvoice | IssuedCreditNote | IssuedReceipt


class Printer(Protocol):
    """Makes a paper's PDF; the same bytes for the same paper."""

    def printed(self, paper: Issued) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where one kind of paper is kept. id_of: of an account's paper by its number."""

    table: DocumentTable
    key: str
    id_of: Callable[[Session, Scope, int, int], int]
    read: Callable[[Session, Scope, int], Issued]


INVOICES = Shelf(InvoiceDocumentRow, "invoice_id", invoice_id_of, issued_invoice)
CREDIT_NOTES = Shelf(CreditNoteDocumentRow, "credit_note_id", credit_note_id_of, issued_credit_note)
RECEIPTS = Shelf(ReceiptDocumentRow, "invoice_id", invoice_id_of, issued_receipt)
SHELVES = (INVOICES, CREDIT_NOTES, RECEIPTS)


def document_of(
    actor: Actor,
    number: int,
    shelf: Shelf = INVOICES,
    *,
    session: Session,
    printer: Printer,
    wall: WallNow,
) -> Document:
    """The PDF of one of the account's papers, made and stored at the first ask; commits.

    Raises NotFound for a number of another account, or for a receipt of what is not paid; Damaged
    when the bytes were changed.
    """
    actor.require(Permission.BILLING_READ)
    row_id = shelf.id_of(session, actor.scope, actor.account_id, number)
    return document_by_id(session, actor.scope, row_id, shelf, printer=printer, wall=wall)


def document_by_id(
    session: Session,
    scope: Scope,
    row_id: int,
    shelf: Shelf = INVOICES,
    *,
    printer: Printer,
    wall: WallNow,
) -> Document:
    """The same for whoever knows the paper's id: mail and jobs."""
    found = find_document(session, scope, shelf.table, row_id)
    if found is None:
        _store(session, scope, row_id, shelf, printer, wall)
        found = find_document(session, scope, shelf.table, row_id)
    if found is None:
        raise NotFound("document")
    if hashlib.sha256(found.content).hexdigest() != found.sha256:
        log.error("document_damaged", sha256=found.sha256, **{shelf.key: row_id})
        raise Damaged(f"the document of {shelf.key} {row_id}")
    return found


def print_missing(
    session: Session, scope: Scope, *, printer: Printer, wall: WallNow, most: int = BATCH
) -> int:
    """Make up to `most` PDFs of each kind that are missing, oldest first, and commit each; how
    many were. One that cannot be made stays missing, and is logged."""
    made = 0
    for shelf in SHELVES:
        for row_id in undocumented(session, scope, shelf.table, most):
            with alone(session, "document_stays_missing", **{shelf.key: row_id}):
                _store(session, scope, row_id, shelf, printer, wall)
                made += 1
    return made


def _store(
    session: Session, scope: Scope, row_id: int, shelf: Shelf, printer: Printer, wall: WallNow
) -> None:
    """Print and keep it, unless somebody else just did; no transaction is open meanwhile."""
    paper = shelf.read(session, scope, row_id)
    session.commit()
    content = printer.printed(paper)
    values = {
        "environment_id": scope.environment_id,
        shelf.key: row_id,
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest(),
        "made_at": wall,
    }
    session.execute(insert(shelf.table).values(values).on_conflict_do_nothing())
    session.commit()
