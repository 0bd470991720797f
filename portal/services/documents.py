"""The PDFs of invoices: made once, kept with their hash, and given out as they were made."""

from __future__ import annotations

import hashlib
from typing import Protocol

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.errors import Damaged, NotFound
from portal.domain.periods import WallNow
from portal.models.invoices import InvoiceDocumentRow
from portal.queries.documents import (
    Document,
    IssuedInvoice,
    find_document,
    invoice_id_of,
    issued_invoice,
    undocumented,
)

log = structlog.get_logger()
BATCH = 50


class Printer(Protocol):
    """Makes an invoice's PDF; the same bytes for the same invoice."""

    def printed(self, invoice: IssuedInvoice) -> bytes: ...


def document_of(
    actor: Actor, number: int, *, session: Session, printer: Printer, wall: WallNow
) -> Document:
    """The PDF of one of the account's invoices, made and stored at the first ask; commits.

    Raises NotFound for a number of another account, Damaged when the bytes were changed.
    """
    actor.require(Permission.BILLING_READ)
    invoice_id = invoice_id_of(session, actor.scope, actor.account_id, number)
    return document_by_id(session, actor.scope, invoice_id, printer=printer, wall=wall)


def document_by_id(
    session: Session, scope: Scope, invoice_id: int, *, printer: Printer, wall: WallNow
) -> Document:
    """The same for whoever knows the invoice's id: mail and jobs."""
    found = find_document(session, scope, invoice_id)
    if found is None:
        _store(session, scope, invoice_id, printer, wall)
        found = find_document(session, scope, invoice_id)
    if found is None:
        raise NotFound("document")
    if hashlib.sha256(found.content).hexdigest() != found.sha256:
        log.error("document_damaged", invoice_id=invoice_id, sha256=found.sha256)
        raise Damaged(f"the document of invoice {invoice_id}")
    return found


def print_missing(
    session: Session, scope: Scope, *, printer: Printer, wall: WallNow, most: int = BATCH
) -> int:
    """Make up to `most` PDFs that are missing, oldest first, and commit each; how many were."""
    waiting = undocumented(session, scope, most)
    for invoice_id in waiting:
        _store(session, scope, invoice_id, printer, wall)
    return len(waiting)


def _store(
    session: Session, scope: Scope, invoice_id: int, printer: Printer, wall: WallNow
) -> None:
    """Print and keep it, unless somebody else just did; no transaction is open meanwhile."""
    invoice = issued_invoice(session, scope, invoice_id)
    session.commit()
    content = printer.printed(invoice)
    session.execute(
        insert(InvoiceDocumentRow)
        .values(
            environment_id=scope.environment_id,
            invoice_id=invoice_id,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            made_at=wall,
        )
        .on_conflict_do_nothing()
    )
    session.commit()
