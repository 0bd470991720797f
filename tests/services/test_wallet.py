"""The wallet: credits in burn order, what will expire, and a ledger that adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.forecast import RunRate
from portal.domain.grants import LotSource
from portal.models.subscriptions import SubscriptionRow
from portal.models.usage import LotRow
from portal.queries.credit_ledger import LONGEST_PAGE, Entry, ledger_page, whole_ledger
from portal.services.capacity import NewLot, open_lots
from portal.services.wallet import Credits, credits_of
from tests.services.catalog.test_reading_again import statements
from tests.services.using import correction, give, report, used
from tests.support.world import APRIL_11, World

DAY = timedelta(days=1)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


def grant(
    world: World, actor: Actor, key: str, units: int, end: datetime | None, priority: int = 50,
    feature: str = "sms",
) -> None:  # fmt: skip
    """Credits that a plan gives, from now on."""
    given = next(f for f in world.catalog().features if f.lookup_key == feature)
    lot = NewLot(
        given, LotSource.PLAN, f"plan-grant:{key}", Decimal(units), priority, world.now, end
    )
    with world.session() as session:
        open_lots(session, world.scope, actor.account_id, [lot])
        session.commit()


def wallet(world: World, actor: Actor) -> tuple[Credits, ...]:
    state = world.state(actor)
    with world.session() as session:
        return credits_of(session, world.scope, state)


def ledger(world: World, actor: Actor) -> list[tuple[str, str, int, int]]:
    """Day, what, units and balance, the oldest first."""
    state = world.state(actor)
    with world.session() as session:
        entries = whole_ledger(session, world.scope, state)
    return [(f"{e.day:%d %b}", str(e.kind), int(e.units), int(e.balance)) for e in entries[::-1]]


def send(world: World, actor: Actor, *units: int) -> None:
    report(world, actor, *(used("sms", each, world.now) for each in units))


def test_a_pack_is_a_lot_that_never_expires_and_leads_to_its_purchase(world):
    actor = world.account()
    bought = world.buy(actor, "sms_10k")
    [credits] = wallet(world, actor)
    [lot] = credits.lots
    assert (credits.feature.lookup_key, credits.left, lot.granted) == ("sms", 10_000, 10_000)
    assert (lot.expires_at, lot.unused, lot.source.name) == (None, None, "10,000 SMS credits")
    assert lot.source.purchase_id == bought.purchase_id
    assert (credits.rate, credits.runs_out_at, credits.others_first) == (None, None, 0)


def test_lots_come_in_burn_order_with_what_burns_before_them(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    grant(world, actor, "long", 300, world.now + 90 * DAY)
    grant(world, actor, "soon", 200, world.now + 20 * DAY)
    grant(world, actor, "first", 100, None, priority=10)
    give(world, actor, "sms", ("pack", 50, world.now + 10 * DAY))
    [credits] = wallet(world, actor)
    assert [int(lot.granted) for lot in credits.lots] == [100, 200, 300, 10_000]
    assert (credits.left, credits.others_first) == (10_600, 50)


def test_what_expires_unused_follows_the_pace_of_seven_days(world):
    actor = world.account()
    began = world.now
    grant(world, actor, "soon", 400, began + 17 * DAY)
    for n in range(7):
        world.now = began + n * DAY
        send(world, actor, 10)
    world.now = began + 7 * DAY
    [credits] = wallet(world, actor)
    assert (credits.rate, credits.left) == (RunRate(Decimal(70), 7), 330)
    assert (credits.unused, credits.runs_out_at) == (230, None)
    grant(world, actor, "later", 500, began + 117 * DAY)
    lost = [lot.unused for lot in wallet(world, actor)[0].lots]
    assert lost == [230, 0], "a thousand are wanted until the second ends"
    grant(world, actor, "ahead", 500, began + 27 * DAY, priority=1)
    assert [lot.unused for lot in wallet(world, actor)[0].lots] == [300, 330, 0]


def test_units_that_later_windows_bring_burn_before_credits(world):
    actor = world.account()
    grant(world, actor, "kept", 5_000, world.now + 60 * DAY, feature="messages")
    began = world.now
    for n in range(7):
        world.now = began + n * DAY
        report(world, actor, used("messages", 2_000, world.now))
    world.now = began + 7 * DAY
    [credits] = wallet(world, actor)
    assert (credits.rate, credits.others_first) == (RunRate(Decimal(14_000), 7), 86_000)
    assert credits.unused == 5_000, "each window's 100,000 are more than its 60,000"


def test_without_a_plan_credits_are_listed_and_all_that_ends_is_lost(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    grant(world, actor, "soon", 400, world.now + 60 * DAY)
    send(world, actor, 10)
    ended = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(ended.values(ended_at=world.now, cancel_at=world.now))
    world.now += DAY
    [credits] = wallet(world, actor)
    assert [lot.unused for lot in credits.lots] == [390, None]
    assert credits.rate == RunRate(Decimal(10), 1)
    assert credits.runs_out_at is None


def test_the_ledger_has_every_unit_that_came_and_went(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    grant(world, actor, "soon", 400, world.now + 3 * DAY)
    send(world, actor, 100, 50)
    world.now += DAY
    send(world, actor, 200)
    report(world, actor, correction("sms", 30, world.now))
    world.now += 5 * DAY
    send(world, actor, 1_000)
    assert ledger(world, actor) == [
        ("11 Apr", "grant", 10_000, 10_000),
        ("11 Apr", "grant", 400, 10_400),
        ("11 Apr", "draw", -150, 10_250),
        ("12 Apr", "draw", -200, 10_050),
        ("12 Apr", "correction", 30, 10_080),
        ("14 Apr", "expiry", -80, 10_000),
        ("17 Apr", "draw", -1_000, 9_000),
    ]
    assert wallet(world, actor)[0].left == 9_000


def test_what_comes_back_to_a_lot_that_has_ended_expires_with_it(world):
    actor = world.account()
    grant(world, actor, "soon", 100, world.now + DAY)
    send(world, actor, 100)
    world.now += 2 * DAY
    report(world, actor, correction("sms", 40, APRIL_11))
    assert ledger(world, actor) == [
        ("11 Apr", "grant", 100, 100),
        ("11 Apr", "draw", -100, 0),
        ("11 Apr", "correction", 40, 40),
        ("12 Apr", "expiry", -40, 0),
    ]


def test_what_comes_back_on_a_later_day_comes_at_the_lots_end(world):
    actor = world.account()
    grant(world, actor, "soon", 100, world.now + DAY)
    grant(world, actor, "other", 500, None)
    world.now += 2 * DAY
    send(world, actor, 50)
    report(world, actor, used("sms", 60, APRIL_11))
    report(world, actor, correction("sms", 40, world.now))
    assert ledger(world, actor) == [
        ("11 Apr", "grant", 100, 100),
        ("11 Apr", "grant", 500, 600),
        ("11 Apr", "draw", -60, 540),
        ("12 Apr", "correction", 40, 580),
        ("12 Apr", "expiry", -80, 500),
        ("13 Apr", "draw", -50, 450),
    ]


def test_days_are_the_accounts_own_and_plan_units_are_no_credits(world):
    actor = world.account(zone="Asia/Tokyo", since=datetime(2026, 3, 31, 15, tzinfo=UTC))
    world.now = datetime(2026, 4, 11, 16, tzinfo=UTC)
    grant(world, actor, "soon", 100, None)
    give(world, actor, "sms", ("pack", 50, world.now + 9 * DAY))
    send(world, actor, 60)
    report(world, actor, used("messages", 5, world.now))
    assert ledger(world, actor) == [("12 Apr", "grant", 100, 100), ("12 Apr", "draw", -10, 90)]


def test_pages_of_the_ledger_hold_all_of_it_once_and_the_same_balances(world):
    actor = world.account()
    grant(world, actor, "many", 1_000, None)
    began = world.now
    for n in range(LONGEST_PAGE + 9):
        world.now = began + n * DAY
        send(world, actor, 1)
    state = world.state(actor)
    with world.session() as session:
        pages = [ledger_page(session, world.scope, state, n) for n in (1, 2, 3, -1)]
        whole: tuple[Entry, ...] = whole_ledger(session, world.scope, state)
    assert [(page.number, page.pages) for page in pages] == [(1, 2), (2, 2), (1, 2), (1, 2)]
    assert pages[0].entries + pages[1].entries == whole
    assert len(whole) == LONGEST_PAGE + 10
    assert (whole[0].balance, whole[-1].balance) == (1_000 - LONGEST_PAGE - 9, 1_000)


def test_balances_are_what_the_lots_say_whatever_was_used_and_taken_back(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    for n in range(12):
        grant(world, actor, f"lot{n}", 90, world.now + (n % 5 + 1) * DAY)
        send(world, actor, 37 * n % 101 + 1)
        report(world, actor, correction("sms", n % 4 + 1, world.now))
        world.now += timedelta(hours=11)
    entries = ledger(world, actor)
    assert all(balance >= 0 for *_, balance in entries)
    with world.session() as session:
        mine = select(LotRow).where(LotRow.account_id == actor.account_id, LotRow.remaining > 0)
        open_ones = [
            row.remaining
            for row in session.scalars(mine)
            if row.source != "plan" or row.source_key.startswith("plan-grant:")
            if row.expires_at is None or row.expires_at > world.now
        ]
    assert entries[-1][-1] == sum(open_ones)


def test_the_wallet_is_three_statements_and_reads_no_event(world):
    actor = world.account()
    world.buy(actor, "sms_10k")
    for n in range(3):
        grant(world, actor, f"lot{n}", 90, world.now + 40 * DAY)
    send(world, actor, *range(1, 40))
    state = world.state(actor)
    sent = statements(world, lambda session: credits_of(session, world.scope, state))
    assert sent <= 4, "lots opened, the scope named anew, lots, days"
    assert statements(world, lambda session: ledger_page(session, world.scope, state, 1)) == 1
