"""T1-T12: what a quantity costs by each price model, bought at the start of a month."""

from __future__ import annotations

import pytest

from portal.domain.catalog import Price, TierMode
from tests.services.figures.stall import minor
from tests.unit.samples import package, recurring, tiered

UP, DOWN = package("1", 100), package("1", 100, "down")
STEPS = ((10, "50"), (20, "40"), (None, "30"))
FREE_START = tiered(TierMode.SLAB, (5, "0"), (10, "2"), (None, "3"))
FLATS = tiered(TierMode.SLAB, (5, "0", "1"), (10, "1", "2"), (None, "2"))
SMALL = tiered(TierMode.SLAB, (1, "10"), (2, "20"), (None, "30"))
BULK = tiered(
    TierMode.VOLUME, (10_000, ".0010"), (50_000, ".0008"), (100_000, ".0006"), (None, ".0004")
)

CASES: dict[str, tuple[Price, dict[int, str]]] = {
    "T1": (recurring("100"), {5: "500"}),
    "T2": (package("50", 10), {25: "150"}),
    "T3": (UP, {2: "1", 99: "1", 100: "1", 101: "2", 150: "2", 300: "3"}),
    "T4 up": (UP, {50: "1", 250: "3"}),
    "T4 down": (DOWN, {50: "0", 250: "2"}),
    "T5": (tiered(TierMode.VOLUME, *STEPS), {5: "250", 15: "600", 25: "750"}),
    "T6": (tiered(TierMode.SLAB, *STEPS), {5: "250", 15: "700", 25: "1050"}),
    "T7": (FREE_START, {3: "0", 5: "0", 7: "4", 10: "10", 11: "13", 15: "25"}),
    "T8": (FLATS, {3: "1", 7: "5", 12: "12"}),
    "T9": (SMALL, {1: "10", 2: "30", 3: "60"}),
    "T10": (BULK, {65_000: "39.00"}),
    "T11": (recurring("20"), {25: "500.00"}),
}
"""Of T3 and T9 without the quantities that cannot be bought: none, and half a unit."""


@pytest.mark.parametrize(("price", "totals"), CASES.values(), ids=CASES)
def test_the_invoice_says_what_the_quantity_costs(price, totals, stall):
    stall.at("2026-04-01")
    key, actor = stall.sell(price), stall.account()
    for quantity, amount in totals.items():
        stall.buy(actor, key, quantity)
        assert stall.sold(actor) == [("charge", minor(amount))], quantity
        if minor(amount):
            assert stall.bill(actor) == stall.sold(actor), "nothing to pay has no invoice"
    assert stall.books_agree
    stall.renew("2026-05-01")
    again = [amount for _, amount in stall.bill(actor)[1:]]
    assert again == [minor(amount) for amount in totals.values()]


@pytest.mark.parametrize(
    ("add_on", "quantity", "amount"),
    [
        ("storage_100gb", 3, "30"), ("advanced_analytics", 1, "49"),
        ("onboarding", 1, "499"), ("sms_10k", 1, "100"),
    ],
)  # fmt: skip
def test_t12_the_catalog_of_the_seed(add_on, quantity, amount, stall):
    stall.at("2026-04-01")
    actor = stall.account()
    stall.buy(actor, add_on, quantity)
    assert stall.bill(actor) == [("charge", minor(amount))]


def test_t12_three_packs_of_storage_are_300_gb(stall):
    actor = stall.account()
    before = stall.meter(actor, "storage").allowance
    stall.buy(actor, "storage_100gb", 3)
    assert stall.meter(actor, "storage").allowance - before == 300
