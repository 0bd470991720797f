"""Credits of stored lines: P5-P10 as product.md §11 adapts them, P20, and their tax."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.domain.credits import StoredLine, credit_lines, credit_of
from portal.domain.taxes import Tax
from portal.domain.working import WorkingKind
from tests.unit.billing_samples import shown, stored
from tests.unit.samples import instant, money, span

APRIL_11 = "2026-04-11"
VAT = Tax(Decimal(20), label="VAT")


@pytest.mark.parametrize(
    ("case", "line", "expected"),
    [
        ("P5 billed in full", stored("20"), "13.33"),
        ("P6 billed at 5: the share of what was billed", stored("5"), "3.33"),
        ("P7 8 of 20 credited before", stored("20", credited="8"), "12.00"),
        ("P7 8 of 20 refunded before", stored("20", refunded="8"), "12.00"),
        ("P9 another period's line", stored("1", span("2026-03-01", "2026-04-01")), "0"),
        ("P10 a quarter's own share", stored("60", span("2026-02-01", "2026-05-01")), "13.48"),
        ("bought in mid-period", stored("13.33", span(APRIL_11, "2026-05-01")), "13.33"),
        ("P20 all given back", stored("20", credited="15", refunded="5"), "0"),
        ("P20 more given back", stored("20", credited="15", refunded="9"), "0"),
        ("closed by an earlier credit", stored("20", closed_at=instant(APRIL_11)), "0"),
        ("not begun", stored("20", span("2026-05-01", "2026-06-01")), "20"),
    ],
)
def test_what_is_given_back(case: str, line: StoredLine, expected: str) -> None:
    assert credit_of(line, instant(APRIL_11)) == money(expected), case


def test_p8_no_line_no_credit() -> None:
    over = stored("20", span("2026-03-01", "2026-04-01"))
    assert credit_lines(over, instant(APRIL_11)) == ()


def test_a_credit_is_a_negative_line_for_the_rest_with_its_working() -> None:
    [line] = credit_lines(stored("20", id=7, instance_id=3), instant(APRIL_11))
    assert line.amount == money("-13.33")
    assert line.period == span(APRIL_11, "2026-05-01")
    assert (line.credited_line_id, line.instance_id) == (7, 3)
    assert line.working.kind is WorkingKind.UNUSED
    assert (line.working.left_s, line.working.whole_s) == (20 * 86_400, 30 * 86_400)


def test_a_capped_credit_says_that_it_is_all_that_is_left() -> None:
    [line] = credit_lines(stored("20", credited="8"), instant(APRIL_11))
    assert line.working.kind is WorkingKind.LEFT


def test_a_line_that_has_not_begun_is_given_back_whole() -> None:
    [line] = credit_lines(stored("20", span("2026-05-01", "2026-06-01")), instant(APRIL_11))
    assert line.period == span("2026-05-01", "2026-06-01")


def test_the_tax_that_stays_is_the_tax_on_what_is_kept() -> None:
    lines = credit_lines(stored("20", tax=VAT), instant(APRIL_11))
    assert shown(lines) == [("credit", "Growth", "-13.33"), ("tax", "VAT", "-2.67")]
    inside = Tax(Decimal(20), inclusive=True, label="VAT")
    contained = credit_lines(stored("20", tax=inside), instant(APRIL_11))
    assert shown(contained) == [("credit", "Growth", "-13.33"), ("tax", "VAT", "-2.22")]
    assert [line.included for line in contained] == [False, True]
