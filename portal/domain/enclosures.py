"""The papers that go along with a notice."""

from __future__ import annotations

from portal.domain.credit_notices import Credited, Noted
from portal.domain.notices import (
    Invoiced,
    Notice,
    PaymentFailed,
    PlanChanged,
    Purchased,
    Renewed,
)


def invoice_of(notice: Notice) -> Invoiced | None:
    """The invoice whose PDF goes along."""
    match notice:
        case Purchased() | Renewed() | PaymentFailed() | PlanChanged():
            return notice.invoice
        case _:
            return None


def receipt_of(notice: Notice) -> Invoiced | None:
    """The invoice whose receipt goes along: one that is paid by now."""
    return notice.invoice if isinstance(notice, Renewed) and notice.charged else None


def credit_note_of(notice: Notice) -> Noted | None:
    """The credit note whose PDF goes along."""
    return notice.note if isinstance(notice, Credited) else None
