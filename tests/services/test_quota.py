"""Checks: what may still be used, why not, and the add-on that would help."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import event, update

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.quotas import Allowed, Help, RefusedUse, Standing, WhyNot
from portal.models.subscriptions import SubscriptionRow
from portal.services import accounts
from portal.services.accounts import NewAccount
from portal.services.quota import check
from tests.services.using import give, of_plan, report, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
JUNE_1 = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


def asked(world: World, actor: Actor, feature: str, units: object = 1) -> Allowed | RefusedUse:
    with world.session() as session:
        return check(
            session, world.scope, actor.account_id, feature, Decimal(str(units)), wall=world.wall
        )


def why(world: World, actor: Actor, feature: str, units: object = 1) -> tuple[str, str | None]:
    """The reason of a refusal, and the add-on that would help."""
    found = asked(world, actor, feature, units)
    assert isinstance(found, RefusedUse)
    return str(found.reason), found.help.add_on if found.help else None


def test_exactly_what_is_left_and_then_one_more(world):
    actor = world.account()
    report(world, actor, used("messages", 99_990, world.now))
    standing = Standing("messages", Decimal(100_000), Decimal(99_990), Decimal(10), MAY_1)
    assert asked(world, actor, "messages", 10) == Allowed(standing)
    price = next(a for a in world.catalog().add_ons if a.lookup_key == "messages_10k").prices[0]
    assert asked(world, actor, "messages", "10.00000001") == RefusedUse(
        standing,
        WhyNot.USED_UP,
        Help("messages_10k", "10,000 message pack", price.lookup_key, Decimal(10_000)),
    )
    report(world, actor, used("messages", 10, world.now))
    assert why(world, actor, "messages") == ("used_up", "messages_10k")
    world.now = MAY_1
    fresh = Standing("messages", Decimal(100_000), Decimal(0), Decimal(100_000), JUNE_1)
    assert asked(world, actor, "messages", 100_000) == Allowed(fresh)


@pytest.mark.parametrize(("units", "helps"), [(100_001, "messages_10k"), (150_000, "messages_50k")])
def test_the_cheapest_pack_that_is_enough(world, units, helps):
    assert why(world, world.account(), "messages", units) == ("used_up", helps)


def test_the_largest_pack_where_none_is_enough(world):
    actor = world.account()
    found = asked(world, actor, "messages", 10_000_000)
    brought = [
        e.usage_limit or 0
        for add_on in world.catalog().add_ons
        for e in add_on.entitlements
        if e.feature.lookup_key == "messages"
    ]
    assert isinstance(found, RefusedUse)
    assert found.help.units == max(brought)


def test_a_limit_of_nothing_none_at_all_and_one_that_is_soft(world):
    actor = world.account(plan="business", price="business_monthly_usd")
    world.change(of_plan("business", usage_limit=0, is_soft_limit=False))
    assert why(world, actor, "messages")[0] == "not_included"
    world.change(of_plan("business", usage_limit=None))
    unlimited = asked(world, actor, "messages", 10**9)
    assert isinstance(unlimited, Allowed)
    assert (unlimited.standing.limit, unlimited.standing.left) == (None, None)
    world.change(of_plan("business", usage_limit=100, is_soft_limit=True))
    actor = world.account(plan="business", price="business_monthly_usd")
    report(world, actor, used("messages", 90, world.now))
    assert asked(world, actor, "messages", 10).excess == 0
    assert asked(world, actor, "messages", 25).excess == 15


def test_a_held_feature_has_room_or_not_and_never_resets(world):
    actor = world.account()
    report(world, actor, used("members", 8, world.now))
    assert asked(world, actor, "members", 2) == Allowed(
        Standing("members", Decimal(10), Decimal(8), Decimal(2), None)
    )
    assert why(world, actor, "members", 3) == ("used_up", "members_5")
    world.buy(actor, "members_5")
    assert asked(world, actor, "members", 7) == Allowed(
        Standing("members", Decimal(15), Decimal(8), Decimal(7), None)
    )


def test_what_is_unlocked_or_not(world):
    actor = world.account()
    assert why(world, actor, "salesforce") == ("not_included", "salesforce")
    world.buy(actor, "salesforce")
    assert isinstance(asked(world, actor, "salesforce"), Allowed)


def test_units_that_only_a_pack_brings(world):
    actor = world.account()
    assert why(world, actor, "sms") == ("not_included", "sms_10k")
    give(world, actor, "sms", ("pack", 5, None))
    assert asked(world, actor, "sms", 5).standing.left == 5
    report(world, actor, used("sms", 5, world.now))
    assert why(world, actor, "sms") == ("used_up", "sms_10k")


def test_past_due_keeps_what_there_is_and_cannot_buy_more_suspended_has_nothing(world):
    actor = world.account()
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(status="past_due"))
    assert isinstance(asked(world, actor, "messages", 100_000), Allowed)
    assert why(world, actor, "messages", 100_001) == ("used_up", None)
    world.change(mine.values(status="suspended"))
    assert why(world, actor, "messages") == ("suspended", None)
    assert why(world, actor, "salesforce") == ("suspended", None)


def test_no_plan_no_feature_no_account(world):
    with world.session() as session:
        new = NewAccount("bare", "Bare", "usd")
        account_id = accounts.create_account(session, world.scope, new, world.wall)
        refused = check(session, world.scope, account_id, "messages", wall=world.wall)
    assert isinstance(refused, RefusedUse)
    assert (refused.reason, refused.help) == (WhyNot.NO_SUBSCRIPTION, None)
    with pytest.raises(NotFound, match="feature"):
        asked(world, world.account(), "nothing")
    with world.session() as session, pytest.raises(NotFound, match="account"):
        check(session, world.scope, 999_999, "messages", wall=world.wall)


def test_six_statements_and_no_event_is_read(world):
    actor = world.account()
    report(world, actor, used("messages", 5, world.now))
    sent: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    asked(world, actor, "messages")
    assert len(sent) == 6, sent
    for feature in ("members", "salesforce"):
        asked(world, actor, feature)
    assert any("counters" in statement for statement in sent)
    assert not [s for s in sent if "usage_events" in s or "draws" in s]
