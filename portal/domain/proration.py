"""What a recurring price costs for the rest of a period, and what is given back of a line."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from portal.domain.catalog import Price
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.pricing import exact_minor


def charge(price: Price, quantity: Decimal, period: Period | None, at: datetime) -> Money:
    """The price of `quantity`, for the rest of `period` from `at`; the whole when None.

    Rounded once, after price x quantity x fraction. A one-time price is never prorated.
    Source: billing-conventions.md §3 rules 3 and 5; seed 1, step 3.
    """
    share = period.fraction_left(at) if period and price.is_recurring else Fraction(1)
    return Money.rounded(exact_minor(price, quantity) * share, price.currency)


def unused(billed: Money, period: Period, at: datetime) -> Money:
    """The share of a billed line that lies after `at`.

    What was used is `billed` minus this, so that the two always sum to the line (I2).
    """
    return billed.scaled(period.fraction_left(at))


def used(billed: Money, period: Period, at: datetime) -> Money:
    """The complement of `unused`."""
    return billed - unused(billed, period, at)


def split(billed: Money, period: Period, cuts: list[datetime]) -> list[Money]:
    """Divide a line at `cuts` (ascending, inside the period); the parts sum to the line (I1)."""
    left = [billed, *(unused(billed, period, at) for at in cuts), Money.zero(billed.currency)]
    return [before - after for before, after in pairwise(left)]


def credit_for(potential: Money, paid: Money, credited: Money, refunded: Money) -> Money:
    """What may still be credited of a stored line: never above paid - credited - refunded.

    Source: billing-conventions.md §3 rule 7, P20, I8.
    """
    left = paid - credited - refunded
    capped = potential.at_most(left)
    return capped if capped.minor > 0 else Money.zero(paid.currency)
