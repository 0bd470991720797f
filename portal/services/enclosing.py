"""The papers that go along with a mail."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.enclosures import credit_note_of, invoice_of, receipt_of
from portal.domain.mails import Attachment
from portal.domain.notices import Notice
from portal.domain.periods import WallNow
from portal.services.documents import (
    CREDIT_NOTES,
    INVOICES,
    RECEIPTS,
    Printer,
    Shelf,
    document_by_id,
)

log = structlog.get_logger()


def enclosures(
    session: Session, scope: Scope, notice: Notice, printer: Printer, wall: WallNow
) -> tuple[Attachment, ...]:
    """Their PDFs; a mail goes without one rather than not at all."""
    found: list[Attachment] = []
    for name, paper_id, shelf in _papers(notice):
        try:
            document = document_by_id(session, scope, paper_id, shelf, printer=printer, wall=wall)
        except Exception:
            session.rollback()
            log.exception("mail_without_its_paper", paper=name)
        else:
            found.append(Attachment(name, document.content))
    return tuple(found)


def _papers(notice: Notice) -> Iterator[tuple[str, int, Shelf]]:
    """Name, id and shelf; what says that it is paid comes first."""
    if (paid := receipt_of(notice)) is not None:
        yield f"receipt-{paid.number:06d}.pdf", paid.id, RECEIPTS
    if (invoice := invoice_of(notice)) is not None:
        yield f"invoice-{invoice.number:06d}.pdf", invoice.id, INVOICES
    if (note := credit_note_of(notice)) is not None:
        yield f"credit-note-{note.number:06d}.pdf", note.id, CREDIT_NOTES
