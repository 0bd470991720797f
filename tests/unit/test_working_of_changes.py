"""The workings of credits in words, and how every working is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain.credits import StoredLine, credit_lines
from portal.domain.money import Money
from portal.domain.pricing import Part
from portal.domain.taxes import Tax
from portal.domain.working import Working, WorkingKind, from_plain, in_words, to_plain
from tests.unit.billing_samples import stored
from tests.unit.samples import instant, money
from tests.unit.test_working import ENGLISH

VAT = Tax(Decimal(20), label="VAT")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            stored("50", tax=VAT),
            [
                "$50.00 × 20 of 30 days (1,728,000 of 2,592,000 s) = $33.33",
                "20 % tax on $50.00 less that on $16.67 kept = $6.67",
            ],
        ),
        (
            stored("20", credited="8", tax=VAT),
            [
                "$12.00, all that is left of $20.00",
                "20 % tax on $12.00 less that on $0.00 kept = $2.40",
            ],
        ),
    ],
)
def test_a_credit_in_words(line: StoredLine, words: list[str]) -> None:
    made = credit_lines(line, instant("2026-04-11"))
    assert [in_words(one.working, ENGLISH) for one in made] == words


def test_tax_on_nothing_is_said_in_full() -> None:
    nothing = Working(WorkingKind.TAX, money("0"), rate=Decimal(20), of=money("0"))
    assert in_words(nothing, ENGLISH) == "20 % of $0.00 = $0.00"


FULL = Working(
    WorkingKind.PRORATED,
    money("1.50"),
    (Part(Decimal("10"), Decimal("2")), Part(Decimal("1"), None)),
    3,
    4,
    Decimal("7.7"),
    money("0"),
    (Part(Decimal("10"), Decimal("1")),),
    money("0"),
)


@pytest.mark.parametrize("worked", [FULL, Working(WorkingKind.WHOLE, Money(5, "jpy"))])
def test_what_is_kept_of_a_working_is_all_of_it(worked: Working) -> None:
    assert from_plain(to_plain(worked)) == worked


def test_a_working_that_was_kept_before_there_were_credits_can_be_read() -> None:
    plain = {k: v for k, v in to_plain(FULL).items() if k not in ("less", "kept")}
    assert from_plain(plain) == replace(FULL, less=(), kept=None)
