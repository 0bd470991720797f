"""How amounts and workings are written in English, for what is stored; Babel does the rest."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency, format_decimal

from portal.domain.money import Money
from portal.domain.working import Phrases


def money_text(amount: Money, locale: str) -> str:
    """`amount` as `locale` writes it, with the currency's own decimals."""
    return format_currency(amount.major(), amount.currency.upper(), locale=locale)


def unit_text(amount: Decimal, code: str, locale: str) -> str:
    """A price per unit, with every decimal it has and never fewer than the currency's."""
    return format_currency(amount, code.upper(), locale=locale, decimal_quantization=False)


def number_text(value: Decimal | int, locale: str) -> str:
    return format_decimal(value, locale=locale)


def english(locale: str = "en_US") -> Phrases:
    """The phrases of a stored working."""
    return Phrases(
        money=lambda amount: money_text(amount, locale),
        unit=lambda amount, code: unit_text(amount, code, locale),
        number=lambda value: number_text(value, locale),
    )


ENGLISH = english()
