"""Laws of other quantities: I7, I17 and I23 of billing-conventions.md §4."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.capacity import Cycle
from portal.domain.catalog import BillingModel, Price, Tier, TierMode
from portal.domain.lines import LineKind, charge_line
from portal.domain.money import total
from portal.domain.periods import Anchor, BillingNow
from portal.domain.quantity_changes import (
    Asked,
    QuantityQuote,
    QuantityRequest,
    quote_quantity,
    with_quantity,
)
from portal.domain.recurring import Recurring
from tests.unit.billing_samples import means
from tests.unit.samples import MONTHLY, add_on, recurring
from tests.unit.strategies import anchors, flat_prices, instants_of, tiers


def walk(
    item: Recurring, quantities: list[int], at: datetime, code: str
) -> tuple[Recurring, list[QuantityQuote]]:
    made = []
    for quantity in quantities:
        cycle = Cycle(MONTHLY, item.anchor, item.anchor)
        asked = Asked(1, add_on(item.price), item, cycle, means(currency=code))
        one = quote_quantity(asked, QuantityRequest(1, quantity), BillingNow(at))
        item = with_quantity(item, one)
        made.append(one)
    return item, made


@given(anchors(), flat_prices(), st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_i23_any_walk_of_quantities_pays_for_the_highest_only(
    anchor: Anchor, price: Price, quantities: list[int], data: st.DataObject
) -> None:
    period = anchor.period(1, MONTHLY)
    at = period.start
    start = Recurring("Storage", price, anchor, period.end, 10, 1)
    last, made = walk(start, quantities, at, price.currency)
    owed = total(
        [line.amount for one in made for line in one.lines if line.kind is LineKind.CHARGE],
        price.currency,
    )
    highest = max(10, *quantities)
    whole = charge_line("Storage", price, highest, None, at).amount
    assert owed == whole - charge_line("Storage", price, 10, None, at).amount
    assert (last.quantity, last.next_quantity) == (highest, quantities[-1])
    later = data.draw(instants_of(period))
    if later < period.end:
        _, dear = walk(start, [11], at, price.currency)
        _, cheap = walk(start, [11], later, price.currency)
        assert cheap[0].lines[0].amount.minor <= dear[0].lines[0].amount.minor


@given(anchors(), tiers(), st.lists(st.integers(1, 80), min_size=3, max_size=3), st.data())
def test_i17_two_steps_up_the_tiers_cost_what_one_does(
    anchor: Anchor, rows: tuple[Tier, ...], quantities: list[int], data: st.DataObject
) -> None:
    low, middle, high = sorted(quantities)
    price = recurring("0", billing_model=BillingModel.TIERED, tier_mode=TierMode.SLAB, tiers=rows)
    period = anchor.period(1, MONTHLY)
    at = data.draw(instants_of(period))
    if at == period.end or low == high:
        return
    start = Recurring("Storage", price, anchor, period.end, low, 1)
    paid = []
    for steps in ([middle, high], [high]):
        _, made = walk(start, steps, at, "usd")
        paid.append(sum(line.amount.minor for one in made for line in one.lines[:1]))
    assert abs(paid[0] - paid[1]) <= 1
    if at == period.start:
        assert paid[0] == paid[1]
    assert paid[1] >= 0
