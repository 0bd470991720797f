"""What was billed, and what was given back of it: by changes of plan and by credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.credits import StoredLine
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.taxes import NO_TAX, Tax, tax_on
from portal.domain.working import from_plain
from portal.models.accounts import AccountRow
from portal.models.credit_notes import CreditNoteLineRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import BilledElsewhereRow
from portal.queries.accounts import AccountState
from portal.queries.sales import sold_to

_Line = tuple[InvoiceLineRow, int | None, str]


@dataclass(slots=True)
class _Given:
    """Minor units that went back of one line: by plan changes, by notes, and of its tax."""

    credited: int = 0
    refunded: int = 0
    tax: int = 0
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Around:
    """What else there is about lines: the tax charged with each, and what went back of it."""

    taxes: dict[tuple[int, int], InvoiceLineRow] = field(default_factory=dict)
    given: dict[int | None, _Given] = field(default_factory=dict)


def stored_lines(session: Session, scope: Scope, state: AccountState) -> tuple[StoredLine, ...]:
    """Charge lines of the subscription whose period lies ahead or runs, oldest first.

    A purchase's line belongs to the instance that it bought, a plan's to none; what was paid
    elsewhere for the plan is one too.
    """
    if state.subscription is None:
        return ()
    wanted = _charges(scope).where(
        InvoiceRow.account_id == state.account.id,
        func.coalesce(InvoiceRow.subscription_id, sold_to()) == state.subscription.id,
        InvoiceLineRow.period_end_at > state.now,
    )
    elsewhere = and_(
        BilledElsewhereRow.subscription_id == state.subscription.id,
        BilledElsewhereRow.period_end_at > state.now,
    )
    return (*_elsewhere(session, scope, elsewhere), *_read(session, scope, wanted))


def lines_since(
    session: Session, scope: Scope, state: AccountState, since: datetime
) -> tuple[StoredLine, ...]:
    """The same without what was paid elsewhere, and with what ended after `since` or is charged
    once."""
    if state.subscription is None:
        return ()
    wanted = _charges(scope).where(
        InvoiceRow.account_id == state.account.id,
        func.coalesce(InvoiceRow.subscription_id, sold_to()) == state.subscription.id,
        func.coalesce(InvoiceLineRow.period_end_at > since, True),
    )
    return _read(session, scope, wanted)


def billed_lines(session: Session, scope: Scope, invoice_id: int) -> tuple[StoredLine, ...]:
    """Every charge line of one invoice, as they stand on it."""
    return _read(session, scope, _charges(scope).where(InvoiceRow.id == invoice_id))


def lines_by_id(session: Session, scope: Scope, line_ids: Iterable[int]) -> dict[int, StoredLine]:
    """Charge lines, wherever they stand, and what was paid elsewhere."""
    ids = set(line_ids)
    found = _read(session, scope, _charges(scope).where(InvoiceLineRow.id.in_(ids)))
    others = _elsewhere(session, scope, BilledElsewhereRow.id.in_(ids))
    return {line.id: line for line in (*found, *others)}


def _charges(scope: Scope) -> Select[InvoiceLineRow, int | None, str]:
    return (
        select(
            InvoiceLineRow,
            func.coalesce(InvoiceLineRow.instance_id, PurchaseRow.instance_id),
            InvoiceRow.currency,
        )
        .join(InvoiceRow, _same(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id))
        .outerjoin(PurchaseRow, _same(PurchaseRow, PurchaseRow.id == InvoiceRow.purchase_id))
        .outerjoin(QuoteRow, _same(QuoteRow, QuoteRow.id == PurchaseRow.quote_id))
        .where(
            InvoiceLineRow.environment_id == scope.environment_id,
            InvoiceLineRow.kind == "charge",
        )
        .order_by(InvoiceLineRow.id)
    )


def _same(
    table: type[InvoiceRow | PurchaseRow | QuoteRow], joined: ColumnElement[bool]
) -> ColumnElement[bool]:
    return and_(table.environment_id == InvoiceLineRow.environment_id, joined)


def _read(
    session: Session, scope: Scope, wanted: Select[InvoiceLineRow, int | None, str]
) -> tuple[StoredLine, ...]:
    rows: list[_Line] = [(row[0], row[1], row[2]) for row in session.execute(wanted)]
    around = _Around(
        _taxes(session, scope, {line.invoice_id for line, _, _ in rows}),
        _given(session, scope, {line.id for line, _, _ in rows}),
    )
    return tuple(_stored(row, around) for row in rows)


def _stored(row: _Line, around: _Around) -> StoredLine:
    line, instance_id, code = row
    given = around.given[line.id]
    taxed = around.taxes.get((line.invoice_id, line.position))
    return StoredLine(
        id=line.id,
        name=line.name,
        quantity=line.quantity,
        billed=Money(line.amount_minor, code),
        period=_period(line),
        tax=Tax(from_plain(taxed.working).rate, taxed.included, taxed.name) if taxed else NO_TAX,
        credited=Money(given.credited, code),
        refunded=Money(given.refunded, code),
        instance_id=instance_id,
        closed_at=given.closed_at,
        tax_kept=Money((taxed.amount_minor if taxed else 0) - given.tax, code),
        position=line.position,
        invoice_id=line.invoice_id,
    )


def _elsewhere(session: Session, scope: Scope, wanted: ColumnElement[bool]) -> list[StoredLine]:
    rows = session.execute(
        select(BilledElsewhereRow, AccountRow.currency)
        .join(
            AccountRow,
            and_(
                AccountRow.environment_id == BilledElsewhereRow.environment_id,
                AccountRow.id == BilledElsewhereRow.account_id,
            ),
        )
        .where(BilledElsewhereRow.environment_id == scope.environment_id, wanted)
    ).all()
    given = _given(session, scope, {row.id for row, _ in rows}) if rows else {}
    return [_paid_elsewhere(row, code, given.get(row.id) or _Given()) for row, code in rows]


def _paid_elsewhere(row: BilledElsewhereRow, code: str, given: _Given) -> StoredLine:
    billed, tax = Money(row.amount_minor, code), Tax(row.tax_rate, row.tax_inclusive, row.tax_label)
    return StoredLine(
        id=row.id,
        name=row.name,
        quantity=1,
        billed=billed,
        period=Period(row.period_start_at.astimezone(UTC), row.period_end_at.astimezone(UTC)),
        tax=tax,
        credited=Money(given.credited, code),
        refunded=Money(given.refunded, code),
        closed_at=given.closed_at,
        tax_kept=tax_on(tax, billed) - Money(given.tax, code),
    )


def _period(line: InvoiceLineRow) -> Period | None:
    start, end = line.period_start_at, line.period_end_at
    if start is None or end is None:
        return None
    return Period(start.astimezone(UTC), end.astimezone(UTC))


def _taxes(
    session: Session, scope: Scope, invoice_ids: Iterable[int]
) -> dict[tuple[int, int], InvoiceLineRow]:
    """The tax on each charge line, by its invoice and position: the line right after it."""
    rows = session.scalars(
        select(InvoiceLineRow).where(
            InvoiceLineRow.environment_id == scope.environment_id,
            InvoiceLineRow.invoice_id.in_(invoice_ids),
            InvoiceLineRow.kind == "tax",
            InvoiceLineRow.credited_line_id.is_(None),
        )
    )
    return {(row.invoice_id, row.position - 1): row for row in rows}


def _given(session: Session, scope: Scope, line_ids: Iterable[int]) -> dict[int | None, _Given]:
    """What went back of each line, by whatever way."""
    found, wanted = defaultdict[int | None, _Given](_Given), set(line_ids)
    for line_id, kind, minor, at in session.execute(_by_changes(scope, wanted)):
        if kind == "credit":
            found[line_id].credited, found[line_id].closed_at = int(minor), at.astimezone(UTC)
        else:
            found[line_id].tax += int(minor)
    for line_id, kind, minor in session.execute(_by_notes(scope, wanted)):
        if kind == "credit":
            found[line_id].refunded = int(minor)
        else:
            found[line_id].tax += int(minor)
    return found


def _by_changes(scope: Scope, line_ids: set[int]) -> Select[int | None, str, int, datetime]:
    of = InvoiceLineRow
    return (
        select(
            of.credited_line_id, of.kind, -func.sum(of.amount_minor), func.min(InvoiceRow.issued_at)
        )
        .join(InvoiceRow, _same(InvoiceRow, InvoiceRow.id == of.invoice_id))
        .where(of.environment_id == scope.environment_id, of.credited_line_id.in_(line_ids))
        .group_by(of.credited_line_id, of.kind)
    )


def _by_notes(scope: Scope, line_ids: set[int]) -> Select[int | None, str, int]:
    of = CreditNoteLineRow
    return (
        select(of.credited_line_id, of.kind, -func.sum(of.amount_minor))
        .where(of.environment_id == scope.environment_id, of.credited_line_id.in_(line_ids))
        .group_by(of.credited_line_id, of.kind)
    )
