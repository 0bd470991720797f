"""Corrections of issued invoices: why, and where what is given back goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.credits import StoredLine, apart, given_back
from portal.domain.lines import LineKind, QuoteLine, owed_for, sum_of
from portal.domain.money import Money, currency


class Cause(StrEnum):
    """What a credit note follows from.

    WITHDRAWN: taken back before it started. NOT_BEGUN: the plan ended before it could start.
    CONTRACT_WITHDRAWN: a consumer withdrew in time, begun or not.
    """

    CORRECTED = "corrected"
    ENDED = "ended"
    AT_PROCESSOR = "at_processor"
    WITHDRAWN = "withdrawn"
    NOT_BEGUN = "not_begun"
    CONTRACT_WITHDRAWN = "contract_withdrawn"


class Destination(StrEnum):
    """Where the staff want what was paid to go."""

    BALANCE = "balance"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Credit:
    """What lines give back, positive; sale is without tax, total with all of it."""

    sale: Money
    tax: Money

    @property
    def total(self) -> Money:
        return self.sale + self.tax


@dataclass(frozen=True, slots=True)
class Division:
    """Where a credit goes; off_invoice, to_card and to_balance sum to it.

    off_invoice: what then need not be paid any more. carried_out: what is left to pay of the
    invoice where that is too little to charge; it joins the next bill.
    """

    off_invoice: Money
    to_card: Money
    to_balance: Money
    carried_out: Money


def credit_in(lines: Iterable[QuoteLine], code: str) -> Credit:
    """What credit lines come to, in currency `code`."""
    shown = tuple(lines)
    tax = -sum_of(shown, LineKind.TAX, code)
    return Credit(sale=-owed_for(shown, code) - tax, tax=tax)


def divided(amount: Money, to_pay: Money, on_card: Money, to: Destination) -> Division:
    """What is still to pay of the invoice first; the rest where it is wanted.

    on_card: what a card paid for the invoice, less what went back to it. What no card paid goes
    to the balance.
    """
    zero = Money.zero(amount.currency)
    off = amount.at_most(to_pay)
    rest, left = amount - off, to_pay - off
    too_little = off and 0 < left.minor < currency(amount.currency).minimum_minor
    to_card = rest.at_most(on_card) if to is Destination.CARD else zero
    return Division(off, to_card, rest - to_card, left if too_little else zero)


def spread(lines: Iterable[StoredLine], gross: Money) -> tuple[QuoteLine, ...]:
    """`gross` given back line by line from the first, each with its tax.

    Raises ValueError for more than all of them are worth.
    """
    found, left = list[QuoteLine](), gross
    for line in lines:
        share = left.at_most(line.worth)
        found += given_back(line, *apart(line, share))
        left -= share
    if left:
        raise ValueError("more than is left of the lines")
    return tuple(found)
