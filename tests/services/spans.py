"""What an account was billed for, span by span, less what was given back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.proration import unused
from portal.domain.working import WorkingKind
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow, QuoteLineRow

Thing = int | None
"""An instance; None for the plan."""
Said = tuple[str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Billed:
    """A charge line. kept_until: the end of its period, or where the rest was given back.

    is_more: of units added within a period that was billed before.
    """

    line_id: int
    amount: Money
    quantity: int
    is_more: bool
    period: Period
    kept_until: datetime


def billed(session: Session, account_id: int) -> dict[Thing, list[Billed]]:
    """The charge lines of each thing that has periods, by their start, whatever became of them."""
    found: dict[Thing, list[Billed]] = defaultdict(list)
    for line, currency, kind, bought in _lines(session, account_id):
        thing = line.instance_id or bought
        period = Period(_at(line.period_start_at), _at(line.period_end_at))
        if line.kind == "credit":
            found[thing] = [_less(each, line, period.start) for each in found[thing]]
            continue
        amount, is_more = Money(line.amount_minor, currency), kind == "quantity"
        one = Billed(line.id, amount, line.quantity, is_more, period, period.end)
        if not is_more:
            found[thing] = [_unless_nothing_left(each, period) for each in found[thing]]
        found[thing].append(one)
    return found


def spans(lines: list[Billed]) -> list[Period]:
    """The periods that stay paid for, in order; none that was given back whole."""
    kept = [each for each in _kept(lines) if not each.is_more]
    return sorted((Period(e.period.start, e.kept_until) for e in kept), key=lambda p: p.start)


def alone(lines: list[Billed]) -> list[Period]:
    """Where added units are paid for, and the units that they were added to are not."""
    kept = _kept(lines)
    ends = [(e.period.start, e.period.end, e.kept_until) for e in kept if not e.is_more]
    return [
        Period(more.period.start, more.kept_until)
        for more in kept
        if more.is_more
        and not any(
            start <= more.period.start and (end, until) == (more.period.end, more.kept_until)
            for start, end, until in ends
        )
    ]


def units_at(lines: list[Billed], at: datetime) -> int:
    """How many units are paid for at `at`, or billed at least."""
    covering = [each for each in lines if each.period.start <= at < each.kept_until]
    return sum(each.quantity for each in covering)


def gaps(tiles: list[Period]) -> list[tuple[datetime, datetime]]:
    """Where one ends and the next does not begin; an overlap is one that ends after it begins."""
    return [(a.end, b.start) for a, b in pairwise(tiles) if a.end != b.start]


def given_back(session: Session, account_id: int) -> list[tuple[int, int]]:
    """Of each line that was credited: what it took, and what was given back, in minor units."""
    back = InvoiceLineRow
    sums = (
        select(back.credited_line_id, func.sum(-back.amount_minor).label("back"))
        .where(back.kind == "credit", back.credited_line_id.is_not(None))
        .group_by(back.credited_line_id)
        .subquery()
    )
    took = (
        select(InvoiceLineRow.amount_minor, sums.c.back)
        .join(sums, sums.c.credited_line_id == InvoiceLineRow.id)
        .join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
        .where(InvoiceRow.account_id == account_id)
    )
    return [(row[0], int(row[1])) for row in session.execute(took)]


def _kept(lines: list[Billed]) -> list[Billed]:
    return [each for each in lines if each.period.start < each.kept_until]


def _lines(
    session: Session, account_id: int
) -> list[Row[tuple[InvoiceLineRow, str, str | None, int | None]]]:
    line, invoice = InvoiceLineRow, InvoiceRow
    rows = session.execute(
        select(line, invoice.currency, PurchaseRow.kind, PurchaseRow.instance_id)
        .join(invoice, invoice.id == line.invoice_id)
        .outerjoin(PurchaseRow, PurchaseRow.id == invoice.purchase_id)
        .where(
            invoice.account_id == account_id,
            line.kind.in_(("charge", "credit")),
            line.period_start_at.is_not(None),
            line.working["kind"].astext != WorkingKind.BEYOND,
        )
        .order_by(invoice.number, line.position)
    )
    return list(rows)


def _less(each: Billed, credit: InvoiceLineRow, at: datetime) -> Billed:
    return replace(each, kept_until=at) if each.line_id == credit.credited_line_id else each


def _unless_nothing_left(each: Billed, then: Period) -> Billed:
    """A rest that is worth less than half a unit is not credited: nothing was to give back."""
    is_inside = each.period.start < then.start < each.kept_until
    if is_inside and not unused(each.amount, each.period, then.start):
        return replace(each, kept_until=then.start)
    return each


def _at(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant.astimezone(UTC)


def sold(session: Session, account_id: int) -> list[tuple[list[Said], list[Said]]]:
    """Of each sale: the lines that were accepted, and those of its invoice."""
    sales = select(PurchaseRow.quote_id, InvoiceRow.id).join(
        InvoiceRow, InvoiceRow.purchase_id == PurchaseRow.id
    )
    return [
        (_said(session, QuoteLineRow, quote_id=quote), _said(session, InvoiceLineRow, invoice_id=i))
        for quote, i in session.execute(sales.where(PurchaseRow.account_id == account_id))
    ]


def _said(session: Session, table: type, **of: int) -> list[Said]:
    rows = session.scalars(select(table).filter_by(**of).order_by(table.position))
    return [(row.kind, row.name, row.quantity, row.amount_minor, row.working_text) for row in rows]
