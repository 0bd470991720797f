"""What is given back of a line that was billed: what lies ahead, or any part of what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

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
    refunded: by credit notes. period: None for what is charged once. tax: as it was charged on
    the line. tax_kept: what of it was not given back yet; None: the tax on what is kept.
    closed_at: when the rest of it was credited; from then on there is no rest, whatever was kept.
    position: of the line on its invoice.
    """

    id: int
    name: str
    quantity: int
    billed: Money
    period: Period | None
    tax: Tax
    credited: Money
    refunded: Money
    instance_id: int | None = None
    closed_at: datetime | None = None
    tax_kept: Money | None = None
    position: int = 0
    invoice_id: int = 0

    @property
    def kept(self) -> Money:
        """What was not given back yet."""
        return self.billed - self.credited - self.refunded

    @property
    def tax_left(self) -> Money:
        """What of the tax was not given back yet."""
        return tax_on(self.tax, self.kept) if self.tax_kept is None else self.tax_kept

    @property
    def worth(self) -> Money:
        """What is kept, with its tax."""
        return self.kept if self.tax.inclusive else self.kept + self.tax_left


def credit_of(line: StoredLine, at: datetime) -> Money:
    """The remaining share of a stored line at `at`, never above what is kept of it.

    None of what is charged once: it has no share that lies ahead.
    Source: billing-conventions.md §3 rule 7 and I8; P5-P7, P20.
    """
    if line.closed_at is not None or line.period is None:
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
    if not given or line.period is None:
        return ()
    rest = Period(at, line.period.end) if line.period.start < at else line.period
    credit = _credit(line, given, _working(line, line.period, given, at), rest)
    return (credit, *_tax_line(line, given, _tax_back(line, given)))


def given_back(line: StoredLine, amount: Money, tax: Money | None = None) -> tuple[QuoteLine, ...]:
    """`amount` of a stored line with its tax, whatever was used of it; none for nothing.

    tax: how much of it; None leaves the tax on what is kept, and none once nothing is. Raises
    ValueError for more than is left.
    """
    back = _tax_back(line, amount) if tax is None else tax
    if not 0 <= amount.minor <= line.kept.minor or not 0 <= back.minor <= line.tax_left.minor:
        raise ValueError("more than is left of the line")
    if not amount and not back:
        return ()
    all_that_is_left = amount == line.kept != line.billed
    kind = WorkingKind.LEFT if all_that_is_left else WorkingKind.PART
    credit = _credit(line, amount, Working(kind, amount, of=line.billed), line.period)
    return (credit, *_tax_line(line, amount, back))


def apart(line: StoredLine, gross: Money) -> tuple[Money, Money]:
    """`gross` as an amount of the line and the tax in it, to the minor unit.

    gross: at most what the line is worth.
    """
    if line.tax.inclusive:
        return gross, _tax_back(line, gross)
    keeps = (line.worth - gross).scaled(1 / (1 + Fraction(line.tax.rate) / 100))
    amount = line.kept - keeps
    return amount, gross - amount


def _credit(line: StoredLine, given: Money, working: Working, period: Period | None) -> QuoteLine:
    return QuoteLine(
        kind=LineKind.CREDIT,
        name=line.name,
        quantity=line.quantity,
        amount=-given,
        working=working,
        period=period,
        instance_id=line.instance_id,
        credited_line_id=line.id,
    )


def _working(line: StoredLine, period: Period, given: Money, at: datetime) -> Working:
    if given != unused(line.billed, period, at):
        return Working(WorkingKind.LEFT, given, of=line.billed)
    left_s, whole_s = period.remaining(at), period.length
    return Working(WorkingKind.UNUSED, given, left_s=left_s, whole_s=whole_s, of=line.billed)


def _tax_back(line: StoredLine, given: Money) -> Money:
    """All that is left of the tax, less the tax on what is kept after `given`."""
    left = line.tax_left
    back = left - tax_on(line.tax, line.kept - given)
    return Money(min(max(back.minor, 0), left.minor), left.currency)


def _tax_line(line: StoredLine, given: Money, back: Money) -> tuple[QuoteLine, ...]:
    if not line.tax.rate:
        return ()
    keeps = line.kept - given
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
