"""Reports of usage: a verdict for each event, its window and day, ids, levels, a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

import pytest
from sqlalchemy import event as events_of
from sqlalchemy import select, update

from portal.domain.errors import NotFound
from portal.domain.periods import Period, WallNow
from portal.domain.usage import Counted, Duplicate, Late, Refused, Usage
from portal.models.accounts import AccountRow
from portal.models.catalog import PlanRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.models.usage import CounterRow, DrawRow, UsageDayRow, UsageEventRow, UsageIdRow
from portal.services import accounts
from portal.services.accounts import NewAccount
from portal.services.usage import forget_ids, ingest, ingest_all
from portal.services.verifying import verify
from tests.services.using import days, fates, give, left, lots, meter, of_plan, report, rows, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
APRIL = Period(datetime(2026, 4, 1, tzinfo=UTC), MAY_1)
MAY = Period(MAY_1, datetime(2026, 6, 1, tzinfo=UTC))
USE_TABLES = (UsageIdRow, UsageEventRow, DrawRow, CounterRow, UsageDayRow)


@pytest.fixture
def world(shop: World) -> Iterator[World]:
    shop.now = APRIL_11
    yield shop
    with shop.session() as session:
        assert verify(session, shop.scope) == []


def test_every_event_has_its_verdict_in_the_order_of_the_report(world):
    actor = world.account()
    fine, level = used("messages", "1.5", world.now), used("members", 3, world.now)
    bad, early = used("nothing", 1, world.now), used("messages", 1, world.now + timedelta(hours=1))
    told = report(world, actor, bad, fine, early, level, fine)
    assert told[1] == Counted(fine.event_id, APRIL)
    assert told[3:] == (Counted(level.event_id, None), Duplicate(fine.event_id))
    assert [(v.event_id, str(v.reason)) for v in told if isinstance(v, Refused)] == [
        (bad.event_id, "unknown_feature"),
        (early.event_id, "future"),
    ]
    assert meter(world, actor).left == Decimal("99998.5")


def test_a_report_with_one_bad_event_of_1000_names_it_and_loses_nothing(world):
    actor = world.account()
    batch = [used("messages", n + 1, world.now) for n in range(1000)]
    batch[617] = replace(batch[617], units=Decimal("NaN"))
    told = report(world, actor, *batch)
    assert [v.event_id for v in told if isinstance(v, Refused)] == [batch[617].event_id]
    assert len([v for v in told if isinstance(v, Counted)]) == 999
    assert meter(world, actor).used == 500_500 - 618
    mended = replace(batch[617], units=Decimal(618))
    assert fates(world, actor, mended) == ["counted"]


def test_the_same_report_ten_times_counts_once(world):
    actor = world.account()
    batch = [used("messages", 7, world.now) for _ in range(50)]
    told = [fates(world, actor, *batch) for _ in range(10)]
    assert told == [["counted"] * 50] + [["duplicate"] * 50] * 9
    assert [rows(world, table, actor) for table in USE_TABLES] == [50, 50, 50, 1, 1]
    assert (meter(world, actor).used, days(world, actor)) == (350, {"11 Apr": 350})


def test_of_an_id_sent_twice_in_one_report_the_first_good_one_counts(world):
    actor = world.account()
    first, second = used("messages", 5, world.now, "same"), used("messages", 9, world.now, "same")
    assert fates(world, actor, replace(first, units=Decimal(0)), first, second) == [
        "units", "counted", "duplicate",
    ]  # fmt: skip
    assert meter(world, actor).used == 5


def test_no_more_than_1000_events_at_once(world):
    actor = world.account()
    batch = [used("messages", 1, world.now)] * 1001
    with pytest.raises(ValueError, match="1000"):
        report(world, actor, *batch)
    halves = {actor.account_id: batch[:500], actor.account_id + 1: batch[500:]}
    with world.session() as session, pytest.raises(ValueError, match="1000"):
        ingest_all(session, world.scope, halves, wall=world.wall)
    assert report(world, actor) == ()


def test_use_up_to_a_day_late_counts_in_its_own_window_and_later_use_in_the_present_one(world):
    actor = world.account()
    world.now = MAY_1 + timedelta(hours=12)
    late, too_late = MAY_1 - timedelta(hours=12), MAY_1 - timedelta(hours=12, seconds=1)
    in_time, marked = used("messages", 40, late), used("messages", 5, too_late)
    assert report(world, actor, in_time, marked) == (
        Counted(in_time.event_id, APRIL),
        Late(marked.event_id, MAY),
    )
    assert lots(world, actor) == [("plan", 100_000, 99_960), ("plan", 100_000, 99_995)]
    assert days(world, actor) == {"30 Apr": 40, "01 May": 5}
    with world.session() as session:
        mine = select(UsageEventRow.units, UsageEventRow.late).filter_by(
            account_id=actor.account_id
        )
        assert dict(session.execute(mine).all()) == {40: False, 5: True}


def test_one_report_opens_the_windows_on_both_sides_of_a_boundary(world):
    boundary = datetime(2026, 4, 30, 15, tzinfo=UTC)  # midnight in Tokyo
    actor = world.account(zone="Asia/Tokyo", since=datetime(2026, 3, 31, 15, tzinfo=UTC))
    world.now = boundary + timedelta(minutes=30)
    minutes = [boundary + timedelta(minutes=n) for n in (-30, -20, 10, 20)]
    report(world, actor, *(used("messages", 3, at) for at in minutes))
    assert lots(world, actor) == [("plan", 100_000, 99_994)] * 2
    assert days(world, actor) == {"30 Apr": 6, "01 May": 6}


def test_the_level_that_happened_last_wins_whenever_it_is_reported(world):
    actor = world.account()
    hours = {age: world.now - timedelta(hours=age) for age in range(5)}
    report(world, actor, used("members", 6, hours[2]), used("members", 4, hours[3]))
    assert meter(world, actor, "members").used == 6
    report(world, actor, used("members", 9, hours[4]))
    assert meter(world, actor, "members").used == 6
    report(world, actor, used("members", 2, hours[1]), used("members", 3, hours[1]))
    assert meter(world, actor, "members").used == 3, "at the same instant, the one received last"
    report(world, actor, used("members", 5, hours[1]))
    assert meter(world, actor, "members").used == 5
    report(world, actor, used("members", 0, hours[0]))
    assert meter(world, actor, "members").used == 0
    assert days(world, actor) == {"10 Apr": 9, "11 Apr": 0}, "a day keeps its highest level"


def test_days_are_the_accounts_own_and_broken_down(world):
    actor = world.account(zone="Asia/Tokyo")
    noon = datetime(2026, 4, 11, 12, tzinfo=UTC)
    world.now = noon + timedelta(hours=8)
    mail, chat = {"channel": "mail", "team": "a"}, {"channel": "chat"}
    report(
        world, actor,
        used("messages", 3, noon, **mail), used("messages", 4, noon, **chat),
        used("messages", 5, noon + timedelta(hours=4), **chat), used("messages", 1, noon),
    )  # fmt: skip
    assert days(world, actor) == {
        "11 Apr": 8,
        "11 Apr channel chat": 4,
        "11 Apr channel mail": 3,
        "11 Apr team a": 3,
        "12 Apr": 5,
        "12 Apr channel chat": 5,
    }


def test_one_report_for_several_accounts(world):
    mine, theirs = world.account(), world.account()
    event = used("messages", 5, world.now)
    reports = {actor.account_id: [event, event] for actor in (theirs, mine)}
    with world.session() as session:
        told = ingest_all(session, world.scope, reports, wall=world.wall)
    assert list(told) == [mine.account_id, theirs.account_id]
    assert set(told.values()) == {(Counted(event.event_id, APRIL), Duplicate(event.event_id))}


def test_no_such_account_and_an_account_without_a_plan(world):
    with world.session() as session, pytest.raises(NotFound):
        ingest(session, world.scope, 999_999, [used("sms", 1, world.now)], wall=world.wall)
    new = NewAccount("planless", "Planless", "usd")
    with world.session() as session:
        account_id = accounts.create_account(session, world.scope, new, world.wall)
        both = [used("messages", 1, world.now), used("members", 1, world.now)]
        told = ingest(session, world.scope, account_id, both, wall=world.wall)
        assert told == (Counted(both[0].event_id, APRIL), Counted(both[1].event_id, None))
        kept = select(CounterRow.used, CounterRow.excess).filter_by(account_id=account_id)
        assert sorted(map(tuple, session.execute(kept))) == [(1, 0), (1, 1)], "all of it excess"


def test_an_id_is_forgotten_when_its_event_is_too_old_to_come_again(world):
    actor, event = world.account(), used("messages", 5, world.now, "kept")
    report(world, actor, event)
    clocked = world.account()
    report(world, clocked, event)
    world.change(
        update(AccountRow)
        .where(AccountRow.id == clocked.account_id)
        .values(test_clock_at=world.now)
    )
    world.pass_time(days=35)
    assert fates(world, actor, replace(event, occurred_at=world.now)) == ["duplicate"]
    world.pass_time(seconds=1)
    with world.session() as session:
        forget_ids(session, world.scope, world.wall)
    assert [rows(world, UsageIdRow, a) for a in (actor, clocked)] == [0, 1]
    assert fates(world, actor, event) == ["too_old"]
    assert fates(world, actor, replace(event, occurred_at=world.now)) == ["counted"]
    assert rows(world, UsageEventRow, actor) == 2
    assert fates(world, clocked, event) == ["duplicate"], "its clock stands still"


def test_after_a_crash_the_report_is_sent_again_and_counts_once(world):
    actor = world.account()
    batch = [used("messages", 60_000, world.now), used("messages", 60_000, world.now)]

    def crash(*_: object) -> NoReturn:
        raise ConnectionError

    with world.session() as session:
        events_of.listen(session, "before_commit", crash)
        with pytest.raises(ConnectionError):
            ingest(session, world.scope, actor.account_id, batch, wall=world.wall)
    assert [rows(world, table, actor) for table in USE_TABLES] == [0] * 5
    assert fates(world, actor, *batch) == ["counted"] * 2
    assert fates(world, actor, *batch) == ["duplicate"] * 2
    assert (meter(world, actor).used, meter(world, actor).excess) == (120_000, 20_000)


def test_a_test_clock_judges_by_its_own_time(world):
    actor = world.account()
    ahead = world.now + timedelta(days=200)
    world.change(
        update(AccountRow).where(AccountRow.id == actor.account_id).values(test_clock_at=ahead)
    )
    with world.session() as session:
        told = ingest(
            session, world.scope, actor.account_id,
            [Usage("then", "messages", Decimal(1), ahead), used("messages", 1, world.now)],
            wall=WallNow(world.now),
        )  # fmt: skip
    assert [type(verdict) for verdict in told] == [Counted, Refused]


def test_what_is_bought_cancelled_or_repriced_between_two_reports_is_noticed(world):
    actor = world.account()
    report(world, actor, used("messages", 100_000, world.now))
    world.buy(actor, "messages_100k_recurring")
    report(world, actor, used("messages", 66_667, world.now))
    assert (meter(world, actor).left, meter(world, actor).excess) == (0, 0)
    world.now = MAY_1
    report(world, actor, used("messages", 150_000, world.now))
    assert [left for _, _, left in lots(world, actor)[-2:]] == [0, 50_000]
    world.change(of_plan("growth", usage_limit=None))
    report(world, actor, used("messages", 900_000, world.now))
    assert meter(world, actor).excess == 0
    world.change(of_plan("growth", usage_limit=100_000))


def test_what_the_clock_alone_changes_between_two_reports_is_noticed(world):
    actor = world.account()
    world.buy(actor, "messages_100k_recurring", quantity=2)
    give(world, actor, "sms", ("pack", 100, None))
    both = (("messages", 10), ("sms", 5))
    report(world, actor, *(used(feature, units, world.now) for feature, units in both))
    june_1 = datetime(2026, 6, 1, tzinfo=UTC)
    fewer = update(InstanceRow).where(InstanceRow.account_id == actor.account_id)
    ending = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(
        fewer.values(next_quantity=1, next_quantity_at=MAY_1), ending.values(cancel_at=june_1)
    )
    report(world, actor, used("messages", 10, world.now))
    for instant in (MAY_1, june_1):
        world.now = instant
        report(world, actor, *(used(feature, units, world.now) for feature, units in both))
    granted = [units for source, units, _ in lots(world, actor) if source == "instance"]
    assert granted == [133_334, 100_000], "one of two from May on, and none in June"
    assert left(world, actor) == {"pack": 90}, "without a plan nothing is drawn"


def test_a_report_of_a_known_account_sends_six_statements_however_many_events(world):
    actor = world.account()
    report(world, actor, used("messages", 1, world.now))
    sent: list[str] = []
    events_of.listen(world.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    assert set(fates(world, actor, *(used("messages", 1, world.now) for _ in range(200)))) == {
        "counted"
    }
    assert len(sent) == 6, sent


def test_late_use_is_not_covered_twice_when_the_plan_has_changed_meanwhile(world):
    actor, april_30 = world.account(), MAY_1 - timedelta(hours=1)
    world.now = april_30
    report(world, actor, used("messages", 99_990, april_30))
    world.now = MAY_1 + timedelta(hours=1)
    business = select(PlanRow.id).where(PlanRow.lookup_key == "business").scalar_subquery()
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(plan_id=business))
    report(world, actor, used("messages", 50, april_30), used("messages", 7, world.now))
    assert lots(world, actor) == [("plan", 100_000, 0), ("plan", 500_000, 499_993)]
    world.now = april_30
    assert meter(world, actor).excess == 40
