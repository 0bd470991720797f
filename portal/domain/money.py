"""Money as whole minor units, the table of currencies, and the only place that rounds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Currency:
    """What a currency can express and what the provider will charge in it.

    exponent: decimal places of the major unit (2 for USD, 0 for JPY, 3 for KWD).
    step: smallest difference between two charges, in minor units (10 for KWD).
    minimum_minor: smallest charge the provider takes, in minor units.
    Source: product.md §4 (small amounts); Stripe's page on minimum charges.
    """

    code: str
    exponent: int
    step: int
    minimum_minor: int


CURRENCIES: dict[str, Currency] = {
    row[0]: Currency(*row)
    for row in (
        ("aud", 2, 1, 50),
        ("cad", 2, 1, 50),
        ("chf", 2, 1, 50),
        ("czk", 2, 1, 1500),
        ("dkk", 2, 1, 250),
        ("eur", 2, 1, 50),
        ("gbp", 2, 1, 30),
        ("hkd", 2, 1, 400),
        ("inr", 2, 1, 50),
        ("jpy", 0, 1, 50),
        ("kwd", 3, 10, 150),
        ("mxn", 2, 1, 1000),
        ("nok", 2, 1, 300),
        ("nzd", 2, 1, 50),
        ("pln", 2, 1, 200),
        ("sek", 2, 1, 300),
        ("sgd", 2, 1, 50),
        ("usd", 2, 1, 50),
    )
}


def currency(code: str) -> Currency:
    """The table's row for `code`, in any case. Raises ValueError for a currency we do not know."""
    try:
        return CURRENCIES[code.lower()]
    except KeyError:
        raise ValueError(f"unknown currency {code!r}") from None


def round_half_away(value: Fraction) -> int:
    """The nearest integer, halves away from zero, so that round(-x) = -round(x)."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency.

    minor: signed count of the smallest unit (cents for USD); never a float.
    currency: lower-case ISO 4217 code, as Stripe spells it ("usd").
    """

    minor: int
    currency: str

    @classmethod
    def zero(cls, code: str) -> Money:
        return cls(0, code)

    @classmethod
    def from_major(cls, amount: Decimal, code: str) -> Money:
        """`amount` major units, exactly. Raises ValueError when the currency cannot express it."""
        exact = Fraction(amount) * 10 ** currency(code).exponent
        if exact.denominator != 1:
            raise ValueError(f"{amount} is not a whole number of {code} minor units")
        return cls(exact.numerator, code.lower())

    @classmethod
    def rounded(cls, minor: Fraction, code: str) -> Money:
        """An exact count of minor units rounded once, to the currency's step."""
        step = currency(code).step
        return cls(round_half_away(minor / step) * step, code)

    def major(self) -> Decimal:
        return Decimal(self.minor).scaleb(-currency(self.currency).exponent)

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, count: int) -> Money:
        return Money(self.minor * count, self.currency)

    def scaled(self, share: Fraction) -> Money:
        """This amount times `share`, rounded to the currency's step."""
        return Money.rounded(self.minor * share, self.currency)

    def at_most(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(min(self.minor, other.minor), self.currency)

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def total(amounts: list[Money], code: str) -> Money:
    """The sum, zero of `code` when there are none."""
    return sum(amounts, Money.zero(code))


def allocate(amount: Money, weights: list[int]) -> list[Money]:
    """Split `amount` in proportion to `weights` by largest remainder, ties by position.

    The parts sum to `amount`, each is within one step of its exact share. All-zero weights
    split nothing. Raises ValueError when the weights are negative or do not bear the amount.
    Source: billing-conventions.md §3 rule 13.
    """
    whole = sum(weights)
    if min(weights, default=0) < 0 or (whole == 0 and amount.minor != 0):
        raise ValueError("weights must be non-negative and not all zero")
    step = currency(amount.currency).step
    units, sign = abs(amount.minor) // step, -1 if amount.minor < 0 else 1
    if units * step != abs(amount.minor):
        raise ValueError("the amount is not a whole number of steps")
    floors = [units * weight // whole if whole else 0 for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda i: (-(units * weights[i] % whole) if whole else 0, i)
    )
    for i in by_remainder[: units - sum(floors)]:
        floors[i] += 1
    return [Money(sign * step * count, amount.currency) for count in floors]
