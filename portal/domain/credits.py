"""What is given back of a line that was billed: the share of it that lies ahead, never more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.domain.lines import LineKind, QuoteLine
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.proration import credit_for, unused
from portal.domain.taxes import Tax, tax_on
from portal.domain.working import Working, WorkingKind


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A charge line of an issued invoice, and what was given back of it since.

    billed, credited, refunded: like the line's own amount, without a tax that comes on top.
    tax: as it was charged on the line. closed_at: when the rest of it was credited; from then on
    there is no rest, whatever was kept.
    """

    id: int
    name: str
    quantity: int
    billed: Money
    period: Period
    tax: Tax
    credited: Money
    refunded: Money
    instance_id: int | None = None
    closed_at: datetime | None = None

    @property
    def kept(self) -> Money:
        """What was not given back yet."""
        return self.billed - self.credited - self.refunded


def credit_of(line: StoredLine, at: datetime) -> Money:
    """The remaining share of a stored line at `at`, never above what is kept of it.

    Source: billing-conventions.md §3 rule 7 and I8; P5-P7, P20.
    """
    if line.closed_at is not None:
        return Money.zero(line.billed.currency)
    return credit_for(
        unused(line.billed, line.period, at), line.billed, line.credited, line.refunded
    )


def credit_lines(line: StoredLine, at: datetime) -> tuple[QuoteLine, ...]:
    """The credit of a stored line and of its tax; none when nothing is left to give back.

    The tax that stays charged is the tax on what is kept.
    Source: billing-conventions.md §3 rule 11, I16.
    """
    given = credit_of(line, at)
    if not given:
        return ()
    rest = Period(at, line.period.end) if line.period.start < at else line.period
    credit = QuoteLine(
        kind=LineKind.CREDIT,
        name=line.name,
        quantity=line.quantity,
        amount=-given,
        working=_working(line, given, at),
        period=rest,
        instance_id=line.instance_id,
        credited_line_id=line.id,
    )
    return (credit, *_tax_line(line, given))


def _working(line: StoredLine, given: Money, at: datetime) -> Working:
    if given != unused(line.billed, line.period, at):
        return Working(WorkingKind.LEFT, given, of=line.billed)
    left_s, whole_s = line.period.remaining(at), line.period.length
    return Working(WorkingKind.UNUSED, given, left_s=left_s, whole_s=whole_s, of=line.billed)


def _tax_line(line: StoredLine, given: Money) -> tuple[QuoteLine, ...]:
    if not line.tax.rate:
        return ()
    keeps = line.kept - given
    back = tax_on(line.tax, line.kept) - tax_on(line.tax, keeps)
    working = Working(WorkingKind.TAX_CREDITED, back, rate=line.tax.rate, of=line.kept, kept=keeps)
    taxed = QuoteLine(
        kind=LineKind.TAX,
        name=line.tax.label,
        quantity=1,
        amount=-back,
        working=working,
        included=line.tax.inclusive,
        instance_id=line.instance_id,
        credited_line_id=line.id,
    )
    return (taxed,)
