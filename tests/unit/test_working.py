"""The working of a line in words: every amount can be checked with a pocket calculator."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.domain.catalog import Price, TierMode
from portal.domain.money import Money
from portal.domain.periods import Anchor
from portal.domain.proration import charge
from portal.domain.quotes import Quote
from portal.domain.taxes import Tax
from portal.domain.working import Phrases, in_words, of_charge
from tests.unit.samples import (
    APRIL,
    MONTHLY,
    add_on,
    buyer,
    instant,
    money,
    once,
    package,
    quoted,
    recurring,
    tiered,
)


def dollars(amount: Money) -> str:
    return f"${amount.major():,}"


ENGLISH = Phrases(
    money=dollars, unit=lambda amount, _: f"${amount:,.2f}", number=lambda count: f"{count:,}"
)


def said(price: Price, at: str, quantity: str = "1") -> str:
    """The working in April of `quantity` units bought at `at`."""
    units, then = Decimal(quantity), instant(at)
    period = APRIL if price.is_recurring else None
    amount = charge(price, units, period, then)
    return in_words(of_charge(price, units, period, then, amount), ENGLISH)


SLABS = tiered(TierMode.SLAB, (5, "2", "1"), (None, "1"))


@pytest.mark.parametrize(
    ("price", "at", "quantity", "words"),
    [
        (
            recurring("50"),
            "2026-04-22",
            "1",
            "$50.00 × 9 of 30 days (777,600 of 2,592,000 s) = $15.00",
        ),
        (
            recurring("50"),
            "2026-04-11",
            "1",
            "$50.00 × 20 of 30 days (1,728,000 of 2,592,000 s) = $33.33",
        ),
        (
            recurring("45"),
            "2026-04-16",
            "3",
            "$45.00 × 3 × 15 of 30 days (1,296,000 of 2,592,000 s) = $67.50",
        ),
        (recurring("50"), "2026-04-22T10:00:01", "1", "$50.00 × 741,599 of 2,592,000 s = $14.31"),
        (once("49"), "2026-04-22", "1", "$49.00, charged in full"),
        (once("49"), "2026-04-22", "2", "$49.00 × 2 = $98.00"),
        (once("0"), "2026-04-22", "2", "$0.00 × 2 = $0.00"),
        (
            package("50", 10),
            "2026-04-01",
            "25",
            "$50.00 × 3 × 30 of 30 days (2,592,000 of 2,592,000 s) = $150.00",
        ),
        (
            SLABS,
            "2026-04-16",
            "7",
            "($2.00 × 5 + $1.00 flat + $1.00 × 2)"
            " × 15 of 30 days (1,296,000 of 2,592,000 s) = $6.50",
        ),
    ],
)
def test_a_charge_in_words(price: Price, at: str, quantity: str, words: str) -> None:
    assert said(price, at, quantity) == words


def test_a_month_that_loses_an_hour_is_said_in_seconds() -> None:
    march = Anchor(instant("2024-03-01T05:00"), "America/New_York").period(0, MONTHLY)
    amount = charge(recurring("30"), Decimal(1), march, march.start)
    working = of_charge(recurring("30"), Decimal(1), march, march.start, amount)
    assert in_words(working, ENGLISH) == "$30.00 × 2,674,800 of 2,674,800 s = $30.00"


def words_of(made: Quote) -> list[str]:
    return [in_words(line.working, ENGLISH) for line in made.lines]


def test_tax_carried_and_balance_in_words() -> None:
    by = buyer(tax=Tax(Decimal("7.7")), balance=money("5"), carried=money("0.32"))
    assert words_of(quoted(add_on(recurring("10")), "2026-04-01", by=by))[1:] == [
        "7.7 % of $10.00 = $0.77",
        "$0.32 carried from an earlier bill",
        "$5.00 taken from your balance",
    ]
    inside = buyer(tax=Tax(Decimal(20), inclusive=True))
    assert words_of(quoted(add_on(once("60")), "2026-04-01", by=inside))[1:] == [
        "20 % contained in $60.00 = $10.00"
    ]
