"""Draws: as the rules say, whoever writes at the same time and however events are batched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.grants import Lot, LotSource, draw
from portal.domain.usage import Counted, Usage
from portal.models.usage import CounterRow, DrawRow, LotRow, UsageDayRow, UsageEventRow
from portal.queries.usage import lot_of
from portal.services.capacity import NewLot, open_lots
from portal.services.verifying import verify
from tests.services.using import fates, give, left, lots, meter, of_plan, report, rows, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
CENT = Decimal("0.01")
searching = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def world(shop: World) -> Iterator[World]:
    shop.now = APRIL_11
    yield shop
    with shop.session() as session:
        assert verify(session, shop.scope) == []


def test_100_writers_at_once_count_every_event_once(world):
    actor = world.account()
    world.buy(actor, "messages_10k")
    shared = [used("messages", 100, world.now) for _ in range(5)]
    own = [
        [used(f, 130, world.now, channel=f"c{n % 3}") for f in ("messages",) * 9]
        + [used("members", n, world.now - timedelta(seconds=n))]
        for n in range(100)
    ]
    with ThreadPoolExecutor(100) as pool:
        told = list(pool.map(lambda mine: fates(world, actor, *mine[::-1], *shared), own))
    assert sorted(chain.from_iterable(told)) == ["counted"] * 1005 + ["duplicate"] * 495
    now = meter(world, actor)
    assert (now.used, now.left, now.excess) == (117_500, 0, 7_500)
    assert lots(world, actor) == [("pack", 10_000, 0), ("plan", 100_000, 0)]
    assert meter(world, actor, "members").used == 0, "the level of the first writer happened last"
    assert rows(world, UsageEventRow, actor) == 1005
    with world.session() as session:
        mine = select(DrawRow.units).where(DrawRow.account_id == actor.account_id)
        assert sum(session.scalars(mine)) == 110_000


instants = st.integers(0, 7).map(lambda days: APRIL_11 + timedelta(days=days))
some_units = st.integers(1, 6000).map(lambda cents: cents * CENT)
ends = st.sampled_from([None, *(APRIL_11 + timedelta(days=days) for days in (4, 8))])
spans = st.tuples(instants, ends).filter(lambda span: span[1] is None or span[0] < span[1])


@st.composite
def packs(draw_from: st.DrawFn) -> list[tuple[Decimal, int, bool, datetime, datetime | None]]:
    """Units, priority, promotional, from when, until when."""
    return [
        (draw_from(some_units), draw_from(st.integers(1, 2)), draw_from(st.booleans()), *span)
        for span in draw_from(st.lists(spans, max_size=6))
    ]  # fmt: skip


uses = st.lists(st.tuples(some_units, instants), min_size=1, max_size=12)


def stock(world: World, account_id: int, given_lots: list) -> list[Lot]:
    sms = next(f for f in world.catalog().features if f.lookup_key == "sms")
    opened = [
        NewLot(sms, LotSource.PACK, f"pack-{n}", units, priority, start, end, None, promotional)
        for n, (units, priority, promotional, start, end) in enumerate(given_lots)
    ]
    with world.session() as session:
        open_lots(session, world.scope, account_id, opened)
        session.commit()
        rows_of = session.scalars(select(LotRow).where(LotRow.account_id == account_id))
        return [lot_of(row) for row in rows_of]


@given(packs(), uses)
@searching
def test_a_report_draws_as_if_each_event_came_alone(shop, given_lots, wanted):
    shop.now = APRIL_11 + timedelta(days=7)
    actor = shop.account()
    book = {lot.id: lot for lot in stock(shop, actor.account_id, given_lots)}
    expected: dict[tuple[str, int], Decimal] = {}
    excess = Decimal(0)
    events = [used("sms", units, at) for units, at in wanted]
    for event in sorted(events, key=lambda e: e.occurred_at):
        open_now = [
            Lot(lot.id, lot.granted, lot.granted - _taken(expected, lot.id), lot.effective_at,
                lot.created_at, lot.expires_at, lot.priority, lot.promotional)
            for lot in book.values()
        ]  # fmt: skip
        drawing = draw(open_now, event.units, event.occurred_at)
        expected |= {(event.event_id, one.lot_id): one.units for one in drawing.draws}
        excess += drawing.excess
    assert set(fates(shop, actor, *events)) == {"counted"}
    with shop.session() as session:
        drawn = session.execute(
            select(UsageEventRow.event_id, DrawRow.lot_id, DrawRow.units)
            .join(DrawRow, DrawRow.usage_event_id == UsageEventRow.id)
            .where(UsageEventRow.account_id == actor.account_id)
        )
        assert {(row[0], row[1]): row[2] for row in drawn} == expected
        assert verify(session, shop.scope) == []
    assert meter(shop, actor, "sms").excess == excess


def _taken(draws: dict[tuple[str, int], Decimal], lot_id: int) -> Decimal:
    return sum((units for (_, lot), units in draws.items() if lot == lot_id), Decimal(0))


def sums(world: World, account_id: int) -> list[list[tuple]]:
    """Counters, days and what is left of each lot."""
    found = (
        select(CounterRow.feature_id, CounterRow.window_start_at, CounterRow.used,
               CounterRow.excess).where(CounterRow.account_id == account_id),
        select(UsageDayRow.feature_id, UsageDayRow.day, UsageDayRow.dimension, UsageDayRow.value,
               UsageDayRow.units).where(UsageDayRow.account_id == account_id),
        select(LotRow.feature_id, LotRow.effective_at, LotRow.remaining)
        .where(LotRow.account_id == account_id),
    )  # fmt: skip
    with world.session() as session:
        return [sorted(tuple(row) for row in session.execute(each)) for each in found]


events_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(["messages", "sms", "members"]), st.integers(1, 3000),
        st.sampled_from(["", "mail", "chat"]),
    ),
    min_size=2, max_size=20,
)  # fmt: skip


@given(events_of_any_kind, st.randoms(use_true_random=False), st.integers(1, 6))
@searching
def test_any_partition_and_order_of_the_same_events_gives_the_same_sums(shop, facts, random, parts):
    shop.now = APRIL_11 + timedelta(days=1)
    once, apart = (shop.account(plan="starter", price="starter_monthly_usd") for _ in range(2))
    events = [
        Usage(f"e{n}", feature, Decimal(units), APRIL_11 + timedelta(minutes=n),
              {"channel": channel} if channel else {})
        for n, (feature, units, channel) in enumerate(facts)
    ]  # fmt: skip
    report(shop, once, *events)
    again = [*events, *random.sample(events, len(events) // 2)]
    random.shuffle(again)
    for n in range(parts):
        report(shop, apart, *again[n::parts])
    assert sums(shop, apart.account_id) == sums(shop, once.account_id)


def test_e9_two_packs_beside_the_plan(world):
    actor = world.account()
    world.buy(actor, "messages_100k", quantity=2)
    report(world, actor, used("messages", 250_000, world.now))
    assert meter(world, actor).left == 50_000


def test_a2_the_draw_that_crosses(world):
    actor = world.account()
    report(world, actor, used("messages", 90_000, world.now))
    assert meter(world, actor).left == 10_000
    report(world, actor, used("messages", 1, world.now))
    assert meter(world, actor).left == 9_999


def test_e6_what_the_limit_does_not_cover_is_excess(world):
    world.change(of_plan("business", usage_limit=100))
    actor = world.account(plan="business", price="business_monthly_usd")
    report(world, actor, *(used("messages", 1, world.now) for _ in range(500)))
    assert (meter(world, actor).excess, meter(world, actor).left) == (400, 0)


def test_e7_each_day_of_a_daily_limit_has_its_own_excess(world):
    world.change(of_plan("enterprise", usage_limit=100, usage_reset_period="DAILY"))
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    excesses = []
    for units in (150, 20, 130):
        report(world, actor, used("messages", units, world.now))
        excesses.append(int(meter(world, actor).excess))
        world.pass_time(days=1)
    assert excesses == [50, 0, 30], "not max(0, 300 − 3 × 100)"


def test_w1_w3_lots_burn_by_their_end_and_never_below_nothing(world):
    actor = world.account()
    ends = [None, *(datetime(2036, month, 1, tzinfo=UTC) for month in (1, 2, 3))]
    names = ("none", "january", "february", "march")
    give(world, actor, "sms", *zip(names, (50, 30, 20, 100), ends, strict=True))
    report(world, actor, used("sms", 70, world.now))
    assert left(world, actor) == {"none": 50, "january": 0, "february": 0, "march": 80}
    report(world, actor, used("sms", 131, world.now))
    assert (meter(world, actor, "sms").left, meter(world, actor, "sms").excess) == (0, 1)


def test_w2_a_lower_priority_number_burns_first(world):
    actor = world.account()
    book = [(50, 50, None), (30, 3, None), (40, 1, None), (20, 2, None),
            (60, 1, datetime(2036, 3, 1, tzinfo=UTC))]  # fmt: skip
    stock(world, actor.account_id, [(Decimal(u), p, False, world.now, end) for u, p, end in book])
    report(world, actor, used("sms", 90, world.now))
    still = left(world, actor)
    assert [still[f"pack-{n}"] for n in range(5)] == [50, 30, 10, 20, 0]


def test_of_lots_that_end_together_what_was_given_burns_before_what_was_paid(world):
    actor = world.account()
    for promotional in (False, True):
        start = world.now - timedelta(days=not promotional)
        stock(world, actor.account_id, [(Decimal(10), 50, promotional, start, MAY_1)])
    report(world, actor, used("sms", 6, world.now))
    with world.session() as session:
        mine = select(LotRow.promotional, LotRow.remaining).filter_by(
            account_id=actor.account_id, source="pack"
        )
        assert dict(session.execute(mine).all()) == {True: 4, False: 10}


def test_a_lot_ends_at_its_very_instant(world):
    actor, end = world.account(), APRIL_11 + timedelta(days=1)
    give(world, actor, "sms", ("pack", 100, end))
    world.now = end
    events = [used("sms", 1, end - timedelta(microseconds=1)), used("sms", 5, end)]
    assert all(isinstance(told, Counted) for told in report(world, actor, *events))
    assert left(world, actor)["pack"] == 99
    assert meter(world, actor, "sms").excess == 5
