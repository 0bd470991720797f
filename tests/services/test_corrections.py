"""Corrections: what was counted too much goes back, latest first, and never below nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.access import Actor
from portal.domain.usage import Late
from portal.models.usage import DrawRow, UsageEventRow, UsageIdRow
from portal.services.verifying import verify
from tests.services.using import (
    correction,
    days,
    fates,
    give,
    left,
    meter,
    of_plan,
    report,
    rows,
    used,
)
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> Iterator[World]:
    shop.now = APRIL_11
    yield shop
    with shop.session() as session:
        assert verify(session, shop.scope) == []


def packs(world: World) -> Actor:
    """An account with 100 units that end soon, 100 that end later and nothing else."""
    actor = world.account()
    give(world, actor, "sms", ("soon", 100, MAY_1), ("late", 100, MAY_1 + timedelta(days=9)))
    return actor


def facts(world, actor) -> tuple[int, int, int, int]:
    """Used, in excess, left of the first pack and of the second."""
    now, still = meter(world, actor, "sms"), left(world, actor)
    return int(now.used), int(now.excess), still["soon"], still["late"]


def test_units_go_back_where_they_came_from_the_latest_draw_first(world):
    actor = packs(world)
    report(world, actor, used("sms", 80, world.now), used("sms", 50, world.now))
    assert facts(world, actor) == (130, 0, 0, 70)
    assert fates(world, actor, correction("sms", 10, world.now)) == ["counted"]
    assert facts(world, actor) == (120, 0, 0, 80)
    assert fates(world, actor, correction("sms", 25, world.now)) == ["counted"]
    assert facts(world, actor) == (95, 0, 5, 100)
    report(world, actor, used("sms", 10, world.now))
    assert facts(world, actor) == (105, 0, 0, 95), "what came back is drawn again"
    assert fates(world, actor, correction("sms", 105, world.now)) == ["counted"]
    assert facts(world, actor) == (0, 0, 100, 100)
    assert days(world, actor) == {"11 Apr": 0}


def test_what_no_lot_covered_is_taken_back_first(world):
    actor = packs(world)
    report(world, actor, used("sms", 230, world.now))
    assert fates(world, actor, correction("sms", 20, world.now)) == ["counted"]
    assert facts(world, actor) == (210, 10, 0, 0)
    assert fates(world, actor, correction("sms", 25, world.now)) == ["counted"]
    assert facts(world, actor) == (185, 0, 0, 15)


def test_never_more_than_was_used(world):
    actor = packs(world)
    report(world, actor, used("sms", 30, world.now))
    over = correction("sms", "30.00000001", world.now)
    assert fates(world, actor, over) == ["more_than_used"]
    assert facts(world, actor) == (30, 0, 70, 100)
    assert [rows(world, table, actor) for table in (UsageIdRow, UsageEventRow)] == [1, 1]
    report(world, actor, used("sms", 10, world.now))
    assert fates(world, actor, over) == ["counted"], "its id was free"
    assert fates(world, packs(world), correction("sms", 1, world.now)) == ["more_than_used"]


def test_each_correction_counts_once_and_comes_after_the_use_it_is_sent_with(world):
    actor = packs(world)
    back, use = correction("sms", 10, world.now), used("sms", 30, world.now)
    more = correction("sms", 25, world.now)
    told = fates(world, actor, back, use, more, back, more)
    assert told == ["counted", "counted", "more_than_used", "duplicate", "more_than_used"]
    assert fates(world, actor, back, use, back) == ["duplicate"] * 3
    assert facts(world, actor) == (20, 0, 80, 100)


def test_40_corrections_at_once_take_back_no_more_than_was_used(world):
    actor = packs(world)
    report(world, actor, used("sms", 120, world.now))
    with ThreadPoolExecutor(20) as pool:
        told = list(
            pool.map(lambda _: fates(world, actor, correction("sms", 8, world.now)), range(40))
        )
    assert sorted(told) == [["counted"]] * 15 + [["more_than_used"]] * 25
    assert facts(world, actor) == (0, 0, 100, 100)


def test_a_correction_says_which_day_and_what_part_of_it(world):
    actor, monday = packs(world), APRIL_11 + timedelta(days=2)
    world.now = monday + timedelta(days=1)
    report(
        world, actor,
        used("sms", 5, monday, channel="mail"), used("sms", 9, monday, channel="chat"),
        used("sms", 9, world.now, channel="mail"),
    )  # fmt: skip
    assert fates(
        world, actor,
        correction("sms", 15, monday),
        correction("sms", 6, monday, channel="mail"),
        correction("sms", 1, monday, channel="post"),
        correction("sms", 4, monday, channel="mail"),
    ) == ["more_than_used"] * 3 + ["counted"]  # fmt: skip
    assert days(world, actor) == {
        "13 Apr": 10,
        "13 Apr channel chat": 9,
        "13 Apr channel mail": 1,
        "14 Apr": 9,
        "14 Apr channel mail": 9,
    }


def test_a_day_that_two_windows_share_gives_back_only_what_its_window_holds(world):
    noon = timedelta(hours=12)
    actor = world.account(since=datetime(2026, 4, 1, 12, tzinfo=UTC))
    give(world, actor, "sms", ("pack", 100, None))
    world.now = MAY_1 + noon + timedelta(hours=1)
    report(world, actor, used("sms", 50, MAY_1 + timedelta(hours=11)), used("sms", 10, world.now))
    assert days(world, actor) == {"01 May": 60}
    told = fates(world, actor, correction("sms", 20, world.now), correction("sms", 9, world.now))
    assert told == ["more_than_used", "counted"]
    assert meter(world, actor, "sms").used == 1


def test_units_go_back_to_a_lot_that_has_ended_and_a_late_correction_takes_from_this_window(world):
    actor = packs(world)
    world.now = MAY_1 - timedelta(seconds=1)
    report(world, actor, used("sms", 60, world.now))
    world.now = MAY_1 + timedelta(hours=1)
    assert fates(world, actor, correction("sms", 10, MAY_1 - timedelta(seconds=1))) == ["counted"]
    assert left(world, actor) == {"soon": 50, "late": 100}
    report(world, actor, used("sms", 30, world.now))
    world.pass_time(days=2)
    behind = correction("sms", 5, MAY_1 - timedelta(seconds=1))
    assert fates(world, actor, behind) == ["more_than_used"], "nothing was used today"
    report(world, actor, used("sms", 7, world.now))
    assert isinstance(report(world, actor, behind)[0], Late)
    assert left(world, actor)["late"] == 68
    assert meter(world, actor, "sms").used == 32


def test_a_correction_without_a_limit_only_lowers_the_counter(world):
    world.change(of_plan("enterprise", usage_limit=None))
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    report(world, actor, used("messages", 900, world.now))
    assert fates(world, actor, correction("messages", 400, world.now)) == ["counted"]
    now = meter(world, actor)
    assert (now.used, now.left, now.excess, rows(world, DrawRow, actor)) == (500, None, 0, 0)
