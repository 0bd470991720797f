"""How an amount came about, kept as numbers and said in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from portal.domain.catalog import Price
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.pricing import Part, parts

_DAY_S = 86_400


class WorkingKind(StrEnum):
    PRORATED = "prorated"
    WHOLE = "whole"
    BEYOND = "beyond"
    UNUSED = "unused"
    LEFT = "left"
    PART = "part"
    TAX = "tax"
    TAX_INCLUDED = "tax_included"
    TAX_CREDITED = "tax_credited"
    CARRIED = "carried"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Working:
    """kind: BEYOND for use that the allowance does not cover.

    left_s and whole_s: seconds of the period charged for and of all of it, when prorated.

    less: what the parts are reduced by, when only more of the same is charged for. rate: percent,
    for tax. of: the amount taxed, or the billed one that a credit is a share of. kept: what stays
    taxed after a credit.
    """

    kind: WorkingKind
    result: Money
    parts: tuple[Part, ...] = ()
    left_s: int = 0
    whole_s: int = 0
    rate: Decimal = Decimal(0)
    of: Money | None = None
    less: tuple[Part, ...] = ()
    kept: Money | None = None


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of a working in one language, and how it writes money and numbers."""

    money: Callable[[Money], str]
    unit: Callable[[Decimal, str], str]
    number: Callable[[Decimal | int], str]
    days: str = "{left} of {whole} days ({left_s} of {whole_s} s)"
    seconds: str = "{left_s} of {whole_s} s"
    flat: str = "{amount} flat"
    equals: str = "{terms} = {result}"
    once: str = "{result}, charged in full"
    tax: str = "{rate} % of {of} = {result}"
    tax_included: str = "{rate} % contained in {of} = {result}"
    tax_credited: str = "{rate} % tax on {of} less that on {kept} kept = {result}"
    left: str = "{result}, all that is left of {of}"
    part: str = "{result} of {of}"
    carried: str = "{result} carried from an earlier bill"
    balance: str = "{result} taken from your balance"


def of_charge(
    price: Price, quantity: Decimal, period: Period | None, at: datetime, result: Money
) -> Working:
    """The working of a charge line; `period` None for a whole price."""
    products = parts(price, quantity)
    if period is None or not price.is_recurring:
        return Working(WorkingKind.WHOLE, result, products)
    return Working(WorkingKind.PRORATED, result, products, period.remaining(at), period.length)


def to_plain(working: Working) -> dict[str, Any]:
    """What JSON can hold of a working; decimals as text, so that they stay exact."""
    return {
        "kind": working.kind.value,
        "result": working.result.minor,
        "currency": working.result.currency,
        "parts": _plain_parts(working.parts),
        "left_s": working.left_s,
        "whole_s": working.whole_s,
        "rate": str(working.rate),
        "of": working.of.minor if working.of is not None else None,
        "less": _plain_parts(working.less),
        "kept": working.kept.minor if working.kept is not None else None,
    }


def from_plain(plain: dict[str, Any]) -> Working:
    """The working that `to_plain` wrote."""
    code, kept = plain["currency"], plain.get("kept")
    return Working(
        kind=WorkingKind(plain["kind"]),
        result=Money(plain["result"], code),
        parts=_parts(plain["parts"]),
        left_s=plain["left_s"],
        whole_s=plain["whole_s"],
        rate=Decimal(plain["rate"]),
        of=Money(plain["of"], code) if plain["of"] is not None else None,
        less=_parts(plain.get("less", [])),
        kept=Money(kept, code) if kept is not None else None,
    )


def _plain_parts(products: tuple[Part, ...]) -> list[list[str | None]]:
    return [[str(p.unit_amount), str(p.count) if p.count is not None else None] for p in products]


def _parts(plain: list[list[str]]) -> tuple[Part, ...]:
    return tuple(
        Part(Decimal(unit), Decimal(count) if count is not None else None) for unit, count in plain
    )


def in_words(working: Working, phrases: Phrases) -> str:
    """One line that a customer can check with a pocket calculator.

    Seconds always, days when both counts are whole days. Source: product.md §4 (working).
    """
    say = phrases.money
    fields = {
        "result": say(working.result),
        "rate": phrases.number(working.rate),
        "of": say(working.of) if working.of is not None else "",
        "kept": say(working.kept) if working.kept is not None else "",
    }
    match working.kind:
        case WorkingKind.TAX:
            return phrases.tax.format(**fields)
        case WorkingKind.TAX_INCLUDED:
            return phrases.tax_included.format(**fields)
        case WorkingKind.TAX_CREDITED:
            return phrases.tax_credited.format(**fields)
        case WorkingKind.LEFT:
            return phrases.left.format(**fields)
        case WorkingKind.PART:
            return phrases.part.format(**fields)
        case WorkingKind.UNUSED:
            terms = f"{fields['of']} × {_share(working, phrases)}"
            return phrases.equals.format(terms=terms, result=fields["result"])
        case WorkingKind.CARRIED:
            return phrases.carried.format(**fields)
        case WorkingKind.BALANCE:
            return phrases.balance.format(**fields)
        case WorkingKind.WHOLE | WorkingKind.PRORATED | WorkingKind.BEYOND:
            return _product(working, phrases)


def _product(working: Working, phrases: Phrases) -> str:
    terms = _sum_of(working.parts, working.result.currency, phrases)
    if working.less:
        terms = f"{terms} − ({_sum_of(working.less, working.result.currency, phrases)})"
    if working.kind is WorkingKind.PRORATED:
        if len(working.parts) > 1 or working.less:
            terms = f"({terms})"
        terms = f"{terms} × {_share(working, phrases)}"
    elif len(working.parts) == 1 and working.parts[0].count == 1:
        return phrases.once.format(result=phrases.money(working.result))
    return phrases.equals.format(terms=terms, result=phrases.money(working.result))


def _sum_of(products: tuple[Part, ...], code: str, phrases: Phrases) -> str:
    terms = []
    for part in products:
        unit = phrases.unit(part.unit_amount, code)
        if part.count is None:
            terms.append(phrases.flat.format(amount=unit))
        elif part.count == 1 and len(products) == 1:
            terms.append(unit)
        else:
            terms.append(f"{unit} × {phrases.number(part.count)}")
    return " + ".join(terms) or phrases.money(Money.zero(code))


def _share(working: Working, phrases: Phrases) -> str:
    left, left_odd = divmod(working.left_s, _DAY_S)
    whole, whole_odd = divmod(working.whole_s, _DAY_S)
    sentence = phrases.seconds if left_odd or whole_odd else phrases.days
    return sentence.format(
        left=phrases.number(left),
        whole=phrases.number(whole),
        left_s=phrases.number(working.left_s),
        whole_s=phrases.number(working.whole_s),
    )
