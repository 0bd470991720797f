"""Tax on a line: one rate for an account, on top of prices or contained in them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from portal.domain.money import Money


@dataclass(frozen=True, slots=True)
class Tax:
    """rate: percent (20 = 20 %); 0 = no tax. label: what the customer's law calls it."""

    rate: Decimal = Decimal(0)
    inclusive: bool = False
    label: str = ""


NO_TAX = Tax()


def tax_on(tax: Tax, line: Money) -> Money:
    """The tax of one line, rounded on its own; when inclusive, the part of it that is tax.

    Source: billing-conventions.md §3 rule 11.
    """
    rate = Fraction(tax.rate) / 100
    return line.scaled(rate / (1 + rate) if tax.inclusive else rate)


def taxed(tax: Tax, amount: Money) -> Money:
    """What is paid for `amount` with its tax."""
    return amount if tax.inclusive else amount + tax_on(tax, amount)
