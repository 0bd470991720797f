"""What the usage page suggests to buy, against the confirm pages and the purchases themselves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from portal.domain.forecast import Outlook
from portal.domain.money import Money
from portal.domain.quotes import Request
from portal.domain.taxes import Tax
from portal.models.subscriptions import SubscriptionRow
from portal.queries.usage_page import Trend
from portal.services import purchases
from tests.services.trending import DAY, trend, use_daily
from tests.services.using import report, used
from tests.support.world import APRIL_11, World


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11 + timedelta(hours=12)
    return shop


def picks(found: Trend) -> dict[str, int]:
    assert found.mix is not None
    return {each.add_on: each.quantity for each in found.mix.suggested}


@pytest.mark.parametrize(
    "tax", [Tax(), Tax(Decimal(20), False, "VAT"), Tax(Decimal(10), True, "T")]
)
def test_the_cheapest_packs_cost_what_their_confirm_pages_say(world, tax):
    actor = world.account(tax=tax)
    use_daily(world, actor, 12_000)
    found = trend(world, actor)
    assert found.mix is not None
    brought, state = Decimal(0), world.state(actor)
    for each in found.mix.suggested:
        request = Request(each.add_on, each.quantity, auto_renew=not each.renews)
        offered = purchases.offer(state, request)
        assert offered.charged == each.amount
        brought += sum(c.units for c in offered.capacity)
    assert brought >= found.forecast.short
    assert found.mix.amount == Money(sum(e.amount.minor for e in found.mix.suggested), "usd")


def test_a_recurring_add_on_is_taken_for_once_where_that_is_cheaper(world):
    actor = world.account()
    use_daily(world, actor, 6_000)
    few = trend(world, actor)
    assert few.forecast is not None
    assert few.forecast.short == 59_000
    assert picks(few) == {"messages_100k_recurring": 1}, "$25.35 for 65,000"
    use_daily(world, actor, 200)
    more = trend(world, actor)
    assert more.forecast is not None
    assert more.forecast.short == 64_300
    report(world, actor, *(used("messages", 100, world.now - n * DAY) for n in range(1, 8)))
    assert picks(trend(world, actor)) == {"messages_10k": 1, "messages_100k_recurring": 1}


def test_buying_what_is_suggested_is_enough_and_then_nothing_is(world):
    actor = world.account()
    use_daily(world, actor, 12_000)
    for add_on, quantity in picks(trend(world, actor)).items():
        world.buy(actor, add_on, quantity, renew=False)
    after = trend(world, actor)
    assert after.forecast is not None
    assert (after.forecast.short, after.mix) == (0, None)
    assert after.outlook is Outlook.ENOUGH


def test_what_ends_before_the_window_does_is_left_out(world):
    actor = world.account()
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(quota_anchor_at=APRIL_11))
    use_daily(world, actor, 10_000)
    found = trend(world, actor)
    assert found.until is not None
    assert (found.until.month, found.until.day) == (5, 11)
    assert "messages_100k_recurring" not in picks(found), "its first period ends on 1 May"


def test_nothing_is_suggested_where_nothing_can_be_bought(world):
    actor = world.account()
    use_daily(world, actor, 12_000)
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(status="past_due"))
    found = trend(world, actor)
    assert found.forecast is not None
    assert found.forecast.short > 0
    assert found.mix is None
