"""How much of each invoice was given back by credit notes, and whether anything is left of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row, Select, and_, case, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models.credit_notes import CreditNoteRow
from portal.models.invoices import InvoiceLineRow


@dataclass(frozen=True, slots=True)
class GivenBack:
    """minor: of all its credit notes. whole: nothing that it sold is left paid for."""

    minor: int
    whole: bool


def given_back(session: Session, actor: Actor) -> dict[int, GivenBack]:
    """By the id of each invoice of the account that a credit note corrects."""
    noted = _sums(session, _by_notes(actor))
    if not noted:
        return {}
    sold = _sums(session, _sold(actor, list(noted)))
    changed = _sums(session, _by_changes(actor, list(noted)))
    return {
        invoice_id: GivenBack(minor, minor + changed.get(invoice_id, 0) >= sold[invoice_id])
        for invoice_id, minor in noted.items()
    }


def _sums(session: Session, statement: Select[int, int]) -> dict[int, int]:
    rows: list[Row[int, int]] = list(session.execute(statement))
    return {row[0]: int(row[1]) for row in rows}


def _by_notes(actor: Actor) -> Select[int, int]:
    of = CreditNoteRow
    return (
        select(of.invoice_id, func.sum(of.total_minor))
        .where(of.environment_id == actor.environment_id, of.account_id == actor.account_id)
        .group_by(of.invoice_id)
    )


def _sold(actor: Actor, invoice_ids: list[int]) -> Select[int, int]:
    """Charges and the taxes on top of them."""
    of = InvoiceLineRow
    return (
        select(of.invoice_id, func.sum(case((of.included, 0), else_=of.amount_minor)))
        .where(
            of.environment_id == actor.environment_id,
            of.invoice_id.in_(invoice_ids),
            of.kind.in_(("charge", "tax")),
            of.credited_line_id.is_(None),
        )
        .group_by(of.invoice_id)
    )


def _by_changes(actor: Actor, invoice_ids: list[int]) -> Select[int, int]:
    """What later changes of plan credited of their lines."""
    of, line = InvoiceLineRow, InvoiceLineRow.__table__.alias()
    credits = and_(line.c.environment_id == of.environment_id, line.c.id == of.credited_line_id)
    return (
        select(line.c.invoice_id, -func.sum(case((of.included, 0), else_=of.amount_minor)))
        .join(line, credits)
        .where(of.environment_id == actor.environment_id, line.c.invoice_id.in_(invoice_ids))
        .group_by(line.c.invoice_id)
    )
