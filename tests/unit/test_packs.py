"""Packs of units: what auto-recharge buys (A1-A3), rates and a bonus (W8, W9, W11)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.domain.catalog import BillingCadence, CapacityEnds, CreditGrant, ExpirationType
from portal.domain.recharge import Choice, default_pack, default_threshold, pack_to_buy
from tests.unit.samples import MESSAGES, add_on, money, once, quoted

PACKS = (50_000, 100_000, 250_000)


def test_a1_defaults() -> None:
    assert default_threshold(100_000) == 10_000
    assert default_pack(100_000, PACKS) == 50_000
    assert default_pack(150_000, PACKS) == 50_000, "the smaller of two that are as near"
    assert default_pack(151_000, PACKS) == 100_000


@pytest.mark.parametrize(("remaining", "after"), [(10_000, None), (9_999, 59_999)])
def test_a2_strictly_below_the_threshold(remaining: int, after: int | None) -> None:
    choice = pack_to_buy(remaining, 10_000, 50_000, PACKS)
    assert (remaining + choice.units if choice else None) == after


def test_a3_the_smallest_pack_that_clears_the_threshold() -> None:
    assert pack_to_buy(5_000, 60_000, 50_000, PACKS) == Choice(100_000, True)
    assert pack_to_buy(10_000, 60_000, 50_000, PACKS) == Choice(50_000, True)
    assert pack_to_buy(5_000, 60_000, 250_000, PACKS) == Choice(250_000, True)
    assert pack_to_buy(5_000, 600_000, 50_000, PACKS) == Choice(250_000, False)


def credits(count: str, name: str = "Credits") -> CreditGrant:
    return CreditGrant(name, MESSAGES, Decimal(count), BillingCadence.ONETIME, ExpirationType.NEVER)


@pytest.mark.parametrize(
    ("case", "rate", "paid", "bought"),
    [("W8", "0.01", "10", 1_000), ("W8", "2", "10", 5), ("W9", "0.008", "1", 125)],
)
def test_credits_bought_one_by_one_at_a_rate(case: str, rate: str, paid: str, bought: int) -> None:
    sold = add_on(once(rate, CapacityEnds.NEVER), credit_grants=(credits("1"),))
    made = quoted(sold, "2026-04-11", quantity=bought)
    assert (made.charged, made.capacity[0].units) == (money(paid), Decimal(bought)), case


def test_w11_a_bonus_is_a_lot_of_its_own() -> None:
    grants = (credits("5000"), credits("750", "Bonus"))
    made = quoted(add_on(once("50", CapacityEnds.NEVER), credit_grants=grants), "2026-04-11")
    assert [brought.units for brought in made.capacity] == [5_000, 750]
