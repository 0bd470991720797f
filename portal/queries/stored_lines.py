"""What was billed for periods that are not over, and what was given back of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.credits import StoredLine
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.taxes import NO_TAX, Tax
from portal.domain.working import from_plain
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.queries.accounts import AccountState

_Credited = dict[int, tuple[int, datetime]]


def stored_lines(session: Session, scope: Scope, state: AccountState) -> tuple[StoredLine, ...]:
    """Charge lines of the subscription whose period lies ahead or runs, oldest first.

    A purchase's line belongs to the instance that it bought, a plan's to none.
    """
    if state.subscription is None:
        return ()
    rows = session.execute(
        select(InvoiceLineRow, func.coalesce(InvoiceLineRow.instance_id, PurchaseRow.instance_id))
        .join(InvoiceRow, _same(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id))
        .outerjoin(PurchaseRow, _same(PurchaseRow, PurchaseRow.id == InvoiceRow.purchase_id))
        .outerjoin(QuoteRow, _same(QuoteRow, QuoteRow.id == PurchaseRow.quote_id))
        .where(
            InvoiceRow.environment_id == scope.environment_id,
            InvoiceRow.account_id == state.account.id,
            func.coalesce(InvoiceRow.subscription_id, QuoteRow.subscription_id)
            == state.subscription.id,
            InvoiceLineRow.kind == "charge",
            InvoiceLineRow.period_end_at > state.now,
        )
        .order_by(InvoiceLineRow.id)
    ).all()
    taxes = _taxes(session, scope, {line.invoice_id for line, _ in rows})
    credited = _credited(session, scope, {line.id for line, _ in rows})
    return tuple(
        _stored(line, instance_id, state.account.currency, taxes, credited)
        for line, instance_id in rows
    )


def _same(
    table: type[InvoiceRow | PurchaseRow | QuoteRow], joined: ColumnElement[bool]
) -> ColumnElement[bool]:
    return and_(table.environment_id == InvoiceLineRow.environment_id, joined)


def _stored(
    line: InvoiceLineRow,
    instance_id: int | None,
    code: str,
    taxes: dict[tuple[int, int], Tax],
    credited: _Credited,
) -> StoredLine:
    start, end = line.period_start_at, line.period_end_at
    if start is None or end is None:
        raise ValueError("a line without a period has nothing ahead")
    given, closed_at = credited.get(line.id, (0, None))
    return StoredLine(
        id=line.id,
        name=line.name,
        quantity=line.quantity,
        billed=Money(line.amount_minor, code),
        period=Period(start.astimezone(UTC), end.astimezone(UTC)),
        tax=taxes.get((line.invoice_id, line.position), NO_TAX),
        credited=Money(given, code),
        refunded=Money.zero(code),
        instance_id=instance_id,
        closed_at=closed_at,
    )


def _taxes(
    session: Session, scope: Scope, invoice_ids: Iterable[int]
) -> dict[tuple[int, int], Tax]:
    """The tax on each charge line, by its invoice and position: the line right after it."""
    rows = session.scalars(
        select(InvoiceLineRow).where(
            InvoiceLineRow.environment_id == scope.environment_id,
            InvoiceLineRow.invoice_id.in_(invoice_ids),
            InvoiceLineRow.kind == "tax",
            InvoiceLineRow.credited_line_id.is_(None),
        )
    )
    return {
        (row.invoice_id, row.position - 1): Tax(
            from_plain(row.working).rate, row.included, row.name
        )
        for row in rows
    }


def _credited(session: Session, scope: Scope, line_ids: Iterable[int]) -> _Credited:
    """How many minor units of each line went back, and when."""
    rows = session.execute(
        select(
            InvoiceLineRow.credited_line_id,
            -func.sum(InvoiceLineRow.amount_minor),
            func.min(InvoiceRow.issued_at),
        )
        .join(InvoiceRow, _same(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id))
        .where(
            InvoiceLineRow.environment_id == scope.environment_id,
            InvoiceLineRow.credited_line_id.in_(line_ids),
            InvoiceLineRow.kind == "credit",
        )
        .group_by(InvoiceLineRow.credited_line_id)
    )
    return {line_id: (int(given), at.astimezone(UTC)) for line_id, given, at in rows if line_id}
