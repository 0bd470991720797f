"""Counting use: each event once, lots in burn order, windows opened when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.access import Actor
from portal.domain.periods import Period
from portal.domain.usage import Usage
from portal.models.usage import CounterRow, DrawRow, UsageEventRow
from portal.services import usage
from portal.services.verifying import verify
from tests.services.using import give, left, lots, meter, of_plan, rows, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> Iterator[World]:
    shop.now = APRIL_11
    yield shop
    with shop.session() as session:
        assert verify(session, shop.scope) == []


def count(world: World, actor: Actor, *reported: Usage) -> int:
    with world.session() as session:
        return usage.count(session, world.scope, actor.account_id, list(reported), world.wall)


def send(world: World, actor: Actor, units: int) -> None:
    assert count(world, actor, used("messages", units, world.now)) == 1


def test_an_event_counts_once_however_often_it_is_reported(world):
    actor = world.account()
    event = used("messages", 700, world.now)
    assert count(world, actor, event) == 1
    assert count(world, actor, event, event) == 0
    assert count(world, actor, event, used("messages", 300, world.now)) == 1
    assert (meter(world, actor).used, meter(world, actor).left) == (1000, 99_000)
    assert rows(world, UsageEventRow, actor) == 2


def test_the_first_report_of_an_id_is_the_one_that_counts(world):
    actor = world.account()
    count(world, actor, used("messages", 700, world.now, "same"))
    assert count(world, actor, used("messages", 9000, world.now, "same")) == 0
    assert meter(world, actor).used == 700


def test_an_id_belongs_to_its_account(world):
    event = used("messages", 5, world.now)
    assert [count(world, world.account(), event) for _ in range(2)] == [1, 1]


def test_16_concurrent_reports_of_one_event_count_it_once(world):
    actor = world.account()
    event = used("messages", 50, world.now)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: count(world, actor, event), range(16)))
    assert sorted(told) == [0] * 15 + [1]
    assert meter(world, actor).left == 99_950


def test_20_first_events_at_once_open_one_window_and_lose_no_unit(world):
    actor = world.account()
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: send(world, actor, 3), range(20)))
    assert lots(world, actor) == [("plan", 100_000, 99_940)]
    assert (meter(world, actor).used, rows(world, CounterRow, actor)) == (60, 1)
    assert rows(world, DrawRow, actor) == 20


def test_batches_that_name_the_same_events_in_other_orders_do_not_block_each_other(world):
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    events = [
        used(feature, 1, world.now) for _ in range(8) for feature in ("messages", "sms", "members")
    ]
    batches = [events, events[::-1]] * 3
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda batch: count(world, actor, *batch), batches))
    assert sum(told) == len(events)
    assert (meter(world, actor).used, meter(world, actor, "sms").used) == (8, 8)


def test_the_plan_burns_before_packs_and_packs_by_their_end(world):
    actor = world.account(plan="starter", price="starter_monthly_usd")
    ends = {"never": None, "late": MAY_1 + timedelta(days=9), "soon": APRIL_11 + timedelta(days=1)}
    give(world, actor, "messages", *((name, 100, end) for name, end in ends.items()))
    packs: list[list[int]] = []
    for units in (9_950, 100, 100, 100):
        send(world, actor, units)
        after = left(world, actor)
        packs.append([after[key] for key in ("soon", "late", "never")])
    assert packs == [[100, 100, 100], [50, 100, 100], [0, 50, 100], [0, 0, 50]]


def test_a_pack_lasts_until_its_window_ends_and_the_plan_starts_anew(world):
    actor = world.account()
    world.buy(actor, "messages_50k")
    send(world, actor, 120_000)
    assert (meter(world, actor).left, meter(world, actor).allowance) == (30_000, 150_000)
    world.now = MAY_1 - timedelta(seconds=1)
    assert meter(world, actor).left == 30_000
    world.now = MAY_1
    now = meter(world, actor)
    assert (now.left, now.used, now.allowance) == (100_000, 0, 100_000)


def test_what_no_lot_covers_is_excess_and_no_later_pack_absorbs_it(world):
    actor = world.account(plan="starter", price="starter_monthly_usd")
    send(world, actor, 12_500)
    short = meter(world, actor)
    assert (short.used, short.left, short.excess, short.percent) == (12_500, 0, 2_500, 100)
    world.buy(actor, "messages_10k")
    assert (meter(world, actor).left, meter(world, actor).excess) == (10_000, 2_500)
    send(world, actor, 4_000)
    assert (meter(world, actor).left, meter(world, actor).excess) == (6_000, 2_500)


def test_unlimited_use_draws_nothing_and_is_never_excess(world):
    world.change(of_plan("business", usage_limit=None))
    actor = world.account(plan="business", price="business_monthly_usd")
    send(world, actor, 900_000)
    now = meter(world, actor)
    assert (now.used, now.left, now.allowance, now.excess) == (900_000, None, None, 0)
    assert lots(world, actor) == []


def test_a_held_feature_is_a_level_not_a_sum(world):
    actor = world.account()
    for level in (4, 12, 9):
        count(world, actor, used("members", level, world.now))
    now = meter(world, actor, "members")
    assert (now.used, now.left, now.excess, now.window) == (9, 1, 0, None)
    count(world, actor, used("members", 13, world.now))
    assert (meter(world, actor, "members").left, meter(world, actor, "members").excess) == (0, 3)
    world.buy(actor, "members_5")
    now = meter(world, actor, "members")
    assert (now.allowance, now.left) == (15, 2)
    world.now = MAY_1 + timedelta(days=1)
    assert meter(world, actor, "members").used == 13, "a level does not reset"


def test_unlimited_members_have_no_limit_to_pass(world):
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    count(world, actor, used("members", 4_000, world.now))
    now = meter(world, actor, "members")
    assert (now.used, now.left, now.allowance, now.excess) == (4_000, None, None, 0)


def test_recurring_messages_bring_a_share_now_and_all_of_them_each_window_after(world):
    actor = world.account()
    world.buy(actor, "messages_100k_recurring")
    assert meter(world, actor).left == 166_667, "100,000 × 20/30, up to a whole message"
    for day in (MAY_1, datetime(2026, 6, 30, tzinfo=UTC)):
        world.now = day
        assert meter(world, actor).left == 200_000
    send(world, actor, 150_000)
    assert lots(world, actor)[-2:] == [("plan", 100_000, 0), ("instance", 100_000, 50_000)]


def test_nothing_opens_for_a_recurring_add_on_that_was_never_paid_for(world):
    actor = world.account(card="pm_card_chargeCustomerFail")
    world.buy(actor, "messages_100k_recurring")
    for day in (world.now, MAY_1):
        world.now = day
        assert meter(world, actor).left == 100_000


def test_a_cancelled_recurring_add_on_opens_no_window_after_its_end(world):
    actor = world.account()
    world.buy(actor, "messages_100k_recurring", renew=False)
    assert meter(world, actor).left == 166_667
    world.now = MAY_1
    assert meter(world, actor).left == 100_000


def test_sms_credits_roll_over_and_never_expire(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    count(world, actor, used("sms", 1_000, world.now))
    world.now = datetime(2031, 2, 3, tzinfo=UTC)
    now = meter(world, actor, "sms")
    assert (now.left, now.used, [s.until for s in now.sources]) == (9_000, 0, [None])


def test_the_plans_own_sms_burn_before_the_credits_that_stay(world):
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    world.buy(actor, "sms_10k")
    count(world, actor, used("sms", 6_000, world.now))
    world.now = MAY_1
    assert meter(world, actor, "sms").left == 5_000 + 9_000


def test_an_annual_plan_has_monthly_windows(world):
    since = datetime(2026, 1, 31, tzinfo=UTC)
    actor = world.account(price="growth_annual_usd", since=since)
    window = meter(world, actor).window
    april_30 = datetime(2026, 4, 30, tzinfo=UTC)
    assert window == Period(datetime(2026, 3, 31, tzinfo=UTC), april_30)
    world.buy(actor, "messages_10k")
    send(world, actor, 105_000)
    assert meter(world, actor).left == 5_000
    world.now = april_30
    assert (meter(world, actor).left, meter(world, actor).used) == (100_000, 0)


def test_late_use_is_counted_in_the_window_it_happened_in(world):
    actor = world.account()
    world.now = MAY_1 + timedelta(hours=1)
    count(world, actor, used("messages", 40, MAY_1 - timedelta(minutes=1)))
    count(world, actor, used("messages", 2, MAY_1))
    assert meter(world, actor).used == 2
    world.now = MAY_1 - timedelta(minutes=1)
    assert (meter(world, actor).used, meter(world, actor).left) == (40, 99_960)


@pytest.mark.parametrize("feature", ["salesforce", "support_response", "no_such_feature"])
def test_a_feature_that_is_not_metered_stops_the_whole_report(world, feature):
    actor = world.account()
    with pytest.raises(ValueError, match=feature):
        count(world, actor, used("messages", 1, world.now), used(feature, 1, world.now))
    assert rows(world, UsageEventRow, actor) == rows(world, DrawRow, actor) == 0


@pytest.mark.parametrize("feature", ["messages", "members"])
def test_negative_units_stop_the_whole_report(world, feature):
    actor = world.account()
    with world.session() as session:
        reported = [used("messages", 1, world.now), used(feature, -1, world.now)]
        with pytest.raises(ValueError, match="negative"):
            usage.count(session, world.scope, actor.account_id, reported, world.wall)
        assert not session.in_transaction(), "no lock is left behind"
    assert rows(world, UsageEventRow, actor) == 0
