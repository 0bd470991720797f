"""The burn order, one tie-break at a time (product.md §6), and what a draw takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.domain.grants import Draw, Lot, available, draw
from tests.unit.samples import instant

NOW = instant("2026-04-15")
SOON, LATER = instant("2026-05-01"), instant("2026-06-01")
PLAIN = Lot(5, Decimal(10), Decimal(10), NOW, NOW, expires_at=LATER)
EARLIER = NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("tie_break", "better", "worse"),
    [
        (
            "priority before expiry",
            replace(PLAIN, id=9, priority=1),
            replace(PLAIN, expires_at=SOON, promotional=True),
        ),
        (
            "soonest expiry before promotional",
            replace(PLAIN, id=9, expires_at=SOON),
            replace(PLAIN, promotional=True),
        ),
        (
            "an expiry before none",
            replace(PLAIN, id=9),
            replace(PLAIN, expires_at=None, promotional=True),
        ),
        (
            "promotional before paid",
            replace(PLAIN, id=9, promotional=True),
            replace(PLAIN, effective_at=EARLIER),
        ),
        (
            "effective before created",
            replace(PLAIN, id=9, effective_at=EARLIER),
            replace(PLAIN, created_at=EARLIER),
        ),
        ("created before id", replace(PLAIN, id=9, created_at=EARLIER), PLAIN),
        ("id last", replace(PLAIN, id=4), PLAIN),
        (
            "expiry is compared at whole seconds",
            replace(PLAIN, id=4, expires_at=LATER + timedelta(milliseconds=900)),
            replace(PLAIN, expires_at=LATER + timedelta(milliseconds=100)),
        ),
        (
            "lots without an end are told apart by effective",
            replace(PLAIN, id=9, expires_at=None, effective_at=EARLIER),
            replace(PLAIN, expires_at=None, created_at=EARLIER),
        ),
    ],
)
def test_tie_break(tie_break: str, better: Lot, worse: Lot) -> None:
    for lots in ([better, worse], [worse, better]):
        assert draw(lots, Decimal(4), NOW).draws == (Draw(better.id, Decimal(4)),), tie_break
        spilled = draw(lots, Decimal(11), NOW).draws
        assert spilled == (Draw(better.id, Decimal(10)), Draw(worse.id, Decimal(1)))


@pytest.mark.parametrize(
    ("lot", "is_open"),
    [
        (PLAIN, True),
        (replace(PLAIN, effective_at=NOW + timedelta(seconds=1)), False),
        (replace(PLAIN, expires_at=NOW), False),
        (replace(PLAIN, expires_at=NOW + timedelta(seconds=1)), True),
        (replace(PLAIN, expires_at=None), True),
    ],
)
def test_a_lot_is_open_from_effective_until_before_its_end(lot: Lot, is_open: bool) -> None:
    assert lot.is_open(NOW) is is_open
    assert available([lot], NOW) == (10 if is_open else 0)


def test_exactly_the_limit_and_one_more() -> None:
    assert draw([PLAIN], Decimal(10), NOW).excess == 0
    assert draw([PLAIN], Decimal(11), NOW).excess == 1
    assert draw([PLAIN], Decimal(0), NOW).draws == ()


def test_empty_lots_are_not_touched_and_dust_is_used_up() -> None:
    empty, dust = replace(PLAIN, id=1, remaining=Decimal(0)), replace(PLAIN, id=2)
    dust = replace(dust, remaining=Decimal("0.00000001"))
    drawing = draw([empty, dust, PLAIN], Decimal(1), NOW)
    assert [one.lot_id for one in drawing.draws] == [2, 5]
    assert drawing.excess == 0


def test_a_draw_is_not_negative() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        draw([PLAIN], Decimal(-1), NOW)
