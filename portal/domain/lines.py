"""The lines of a sale: charges, the tax on them, what was carried and what the balance pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portal.domain.catalog import Price
from portal.domain.money import Money, currency, total
from portal.domain.periods import Period
from portal.domain.proration import charge
from portal.domain.taxes import Tax, tax_on
from portal.domain.working import Working, WorkingKind, of_charge


class LineKind(StrEnum):
    CHARGE = "charge"
    CREDIT = "credit"
    TAX = "tax"
    CARRIED = "carried"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """amount: signed; a credit, the tax on it and the balance line are negative.

    included: a tax line that adds nothing. instance_id: what the line is for; None for a plan and
    for what is only being bought. credited_line_id: the stored line that a credit and its tax
    give back.
    """

    kind: LineKind
    name: str
    quantity: int
    amount: Money
    working: Working
    period: Period | None = None
    included: bool = False
    instance_id: int | None = None
    credited_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What an account pays with, and its tax.

    balance: credit money that may be applied. carried: earlier amounts below the minimum charge.
    """

    currency: str
    tax: Tax
    balance: Money
    carried: Money


@dataclass(frozen=True, slots=True)
class Due:
    """What lines come to: one of the three amounts, the others are zero.

    carried_out: below the minimum charge, it joins the next bill. credited: goes to the balance.
    """

    charged: Money
    carried_out: Money
    credited: Money


def charge_line(
    name: str,
    price: Price,
    quantity: int,
    period: Period | None,
    at: datetime,
    instance_id: int | None = None,
) -> QuoteLine:
    """`quantity` at the price for the rest of `period` from `at`; in full when None."""
    units = Decimal(quantity)
    amount = charge(price, units, period, at)
    working = of_charge(price, units, period, at, amount)
    covered = Period(at, period.end) if period and at < period.end else None
    return QuoteLine(
        LineKind.CHARGE, name, quantity, amount, working, covered, instance_id=instance_id
    )


def with_tax(line: QuoteLine, tax: Tax) -> tuple[QuoteLine, ...]:
    """A charge line and, where there is tax, the tax on it."""
    if not tax.rate:
        return (line,)
    amount = tax_on(tax, line.amount)
    kind = WorkingKind.TAX_INCLUDED if tax.inclusive else WorkingKind.TAX
    working = Working(kind, amount, rate=tax.rate, of=line.amount)
    taxed = QuoteLine(
        LineKind.TAX, tax.label, 1, amount, working, None, tax.inclusive, line.instance_id
    )
    return (line, taxed)


def completed(lines: Sequence[QuoteLine], means: Means) -> tuple[QuoteLine, ...]:
    """The lines, then what was carried to this bill and what the balance pays of it.

    Both wait where nothing is owed. Source: product.md §4 (small amounts, account balance).
    """
    owed = owed_for(lines, means.currency)
    added: list[QuoteLine] = []
    if owed.minor > 0 and means.carried:
        owed += means.carried
        added.append(_plain_line(LineKind.CARRIED, means.carried, WorkingKind.CARRIED))
    applied = means.balance.at_most(owed)
    if applied.minor > 0:
        added.append(_plain_line(LineKind.BALANCE, -applied, WorkingKind.BALANCE))
    return (*lines, *added)


def closing(means: Means) -> tuple[QuoteLine, ...]:
    """What was carried, billed by itself; empty where a card cannot be charged so little.

    Source: product.md §4 (small amounts: a last invoice at cancellation).
    """
    if not means.carried:
        return ()
    lines = [_plain_line(LineKind.CARRIED, means.carried, WorkingKind.CARRIED)]
    if applied := means.balance.at_most(means.carried):
        lines.append(_plain_line(LineKind.BALANCE, -applied, WorkingKind.BALANCE))
    return () if due_for(lines, means.currency).carried_out else tuple(lines)


def due_for(lines: Iterable[QuoteLine], code: str) -> Due:
    """What completed lines come to, in currency `code`."""
    due, zero = owed_for(lines, code), Money.zero(code)
    if due.minor < 0:
        return Due(zero, zero, -due)
    if due.minor < currency(code).minimum_minor:
        return Due(zero, due, zero)
    return Due(due, zero, zero)


def owed_for(lines: Iterable[QuoteLine], code: str) -> Money:
    """The sum of the displayed lines; included tax adds nothing."""
    return total([line.amount for line in lines if not line.included], code)


def sum_of(lines: Iterable[QuoteLine], kind: LineKind, code: str) -> Money:
    """The sum of the displayed lines of one kind."""
    return total([line.amount for line in lines if line.kind is kind], code)


def means_after(means: Means, lines: Iterable[QuoteLine], due: Due) -> Means:
    """What is left to pay with once completed lines are settled."""
    shown = tuple(lines)
    applied = sum_of(shown, LineKind.BALANCE, means.currency)
    joined = sum_of(shown, LineKind.CARRIED, means.currency)
    return Means(
        currency=means.currency,
        tax=means.tax,
        balance=means.balance + applied + due.credited,
        carried=means.carried - joined + due.carried_out,
    )


def _plain_line(kind: LineKind, amount: Money, working: WorkingKind) -> QuoteLine:
    shown = Money(abs(amount.minor), amount.currency)
    return QuoteLine(kind, "", 1, amount, Working(working, shown))
