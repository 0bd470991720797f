"""Reminders of units that expire, and the weekly digest: when, to whom, and each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.errors import Forbidden
from portal.models.accounts import AccountRow
from portal.models.mails import MailRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.wallet import expiring
from portal.services import lot_reminding
from portal.services.digesting import send_digests
from portal.services.lot_reminding import remind_of_lots
from portal.services.mail_choices import MailChoices, choices_of, choose
from tests.services.using import give, report, used
from tests.support.world import APRIL_11, World

DAY = timedelta(days=1)
ALL = MailChoices(alerts=True, expiries=True, digest=True)
Told = Callable[[datetime], list[str]]


def mails(world: World, actor: Actor, kind: str) -> list[MailRow]:
    mine = select(MailRow).filter_by(account_id=actor.account_id, kind=kind)
    with world.session() as session:
        return list(session.scalars(mine.order_by(MailRow.id)))


@pytest.fixture
def actor(world: World) -> Actor:
    return world.account()


@pytest.fixture
def told(world: World, actor: Actor) -> Told:
    """The steps told by an instant at which the worker comes by, twice."""

    def until(at: datetime) -> list[str]:
        world.now = at
        for _ in range(2):
            with world.session() as session:
                remind_of_lots(session, world.scope, world.wall)
        return [f"{m.notice['days']}" for m in mails(world, actor, "lot_expiring")]

    return until


def test_an_account_that_cannot_be_reminded_does_not_hold_up_the_others(world, monkeypatch):
    bad, good = world.account(), world.account()
    end = APRIL_11 + 100 * DAY
    for actor in (bad, good):
        give(world, actor, "sms", ("credits", 400, end))
    world.now = end - 30 * DAY

    def told(session, scope, state):
        if state.account.id == bad.account_id:
            raise RuntimeError("a mistake of ours")
        return expiring(session, scope, state)

    monkeypatch.setattr(lot_reminding, "expiring", told)
    with world.session() as session, structlog.testing.capture_logs() as said:
        remind_of_lots(session, world.scope, world.wall)
    assert [len(mails(world, actor, "lot_expiring")) for actor in (bad, good)] == [0, 1]
    left_out = [(s["event"], s["account_id"]) for s in said if s["log_level"] == "error"]
    assert left_out == [("reminder_left_out", bad.account_id)]


def test_30_7_and_1_days_before_each_once(world, actor, told):
    end = APRIL_11 + 100 * DAY
    give(world, actor, "sms", ("credits", 400, end))
    second = timedelta(seconds=1)
    assert told(end - 30 * DAY - second) == []
    assert told(end - 30 * DAY) == ["30"]
    assert told(end - 7 * DAY - second) == ["30"]
    assert told(end - 7 * DAY) == ["30", "7"]
    assert told(end - DAY) == ["30", "7", "1"]
    assert told(end) == ["30", "7", "1"]


def test_late_it_is_the_last_step_only_and_none_of_nothing(world, actor, told):
    end = APRIL_11 + 100 * DAY
    give(world, actor, "sms", ("credits", 400, end), ("gone", 50, end - DAY))
    world.now = end - 40 * DAY
    report(world, actor, used("sms", 50, world.now))
    assert told(end - 5 * DAY) == ["7"], "the one that is used up is not told of"
    world.now = end - 2 * DAY
    report(world, actor, used("sms", 400, world.now))
    assert told(end - timedelta(hours=3)) == ["7"]


def test_what_comes_and_goes_with_a_window_is_not_told_of(world, actor, told):
    world.buy(actor, "messages_10k")
    world.buy(actor, "messages_100k_recurring")
    report(world, actor, used("messages", 1, world.now))
    assert told(datetime(2026, 4, 30, 12, tzinfo=UTC)) == []
    assert told(datetime(2026, 5, 30, 12, tzinfo=UTC)) == []


def test_the_accounts_clock_and_zone_count(world, actor, told):
    end = datetime(2026, 7, 10, 4, tzinfo=UTC)
    give(world, actor, "sms", ("credits", 400, end))
    mine = update(AccountRow).where(AccountRow.id == actor.account_id)
    world.change(mine.values(test_clock_at=end - 40 * DAY))
    assert told(end - 5 * DAY) == []
    world.change(mine.values(test_clock_at=end - 4 * DAY))
    assert told(APRIL_11) == ["7"]


def test_without_a_plan_or_the_wish_nobody_is_told(world, actor, told):
    end = APRIL_11 + 20 * DAY
    give(world, actor, "sms", ("credits", 400, end + 20 * DAY))
    with world.session() as session:
        choose(session, actor, MailChoices(True, False, False), world.wall)
    assert told(end) == []
    with world.session() as session:
        choose(session, actor, ALL, world.wall)
        assert [each.days for each in expiring(session, world.scope, world.state(actor))] == [30]
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(ended_at=end, cancel_at=end))
    assert told(end) == []


@pytest.fixture
def digested(world: World, actor: Actor) -> Callable[[datetime], list[str]]:
    """The Mondays told by an instant at which the worker comes by, twice."""

    def until(at: datetime) -> list[str]:
        world.now = at
        for _ in range(2):
            with world.session() as session:
                send_digests(session, world.scope, world.wall)
        return [m.notice["monday"] for m in mails(world, actor, "usage_digest")]

    return until


def test_the_digest_is_off_until_it_is_chosen_and_then_of_the_next_monday(world, actor, digested):
    nine = datetime(2026, 4, 13, 9, tzinfo=UTC)
    assert digested(nine) == []
    world.now = nine + timedelta(hours=1)
    with world.session() as session:
        choose(session, actor, ALL, world.wall)
    assert digested(nine + 6 * DAY) == []
    assert digested(nine + 7 * DAY - timedelta(seconds=1)) == []
    assert digested(nine + 7 * DAY) == ["2026-04-20"]
    assert digested(nine + 13 * DAY) == ["2026-04-20"]
    assert digested(nine + 31 * DAY) == ["2026-04-20", "2026-05-11"], "late, and the last one only"


def test_the_digest_tells_use_pace_and_how_far_it_reaches(world, actor, digested):
    with world.session() as session:
        choose(session, actor, ALL, world.wall)
    for n in range(2):
        world.now = APRIL_11 + n * DAY
        report(world, actor, used("messages", 35_000, world.now), used("members", 4 - n, world.now))
    digested(datetime(2026, 4, 13, 9, tzinfo=UTC))
    [mail] = mails(world, actor, "usage_digest")
    weeks = {week["feature"]["name"]: week for week in mail.notice["weeks"]}
    messages, members = weeks["Messages"], weeks["Members"]
    assert (messages["used"][:5], messages["pace"], messages["percent"]) == ("70000", "35000", 70)
    assert messages["runs_out_at"] == "2026-04-14T05:34:17Z"
    assert (members["used"][:1], members["percent"]) == ("4", 30)


def test_each_member_and_each_zone_has_its_own_monday(world, digested):
    tokyo = world.account(zone="Asia/Tokyo", since=datetime(2026, 3, 31, 15, tzinfo=UTC))
    other = world.member(tokyo.account_id, "other@tokyo.test", Role.ADMIN)
    for each in (tokyo, other):
        with world.session() as session:
            choose(session, each, ALL, world.wall)
    nine = datetime(2026, 4, 13, 0, tzinfo=UTC)
    digested(nine - timedelta(seconds=1))
    assert mails(world, tokyo, "usage_digest") == []
    digested(nine)
    assert len(mails(world, tokyo, "usage_digest")) == 2


def test_the_choice_is_the_members_own_of_one_account(world, actor):
    elsewhere = world.account()
    world.member(elsewhere.account_id, f"owner@account{world.key_of(actor)}.test", Role.OWNER)
    there = Actor(actor.person_id, elsewhere.account_id, actor.scope, Role.OWNER)
    with world.session() as session:
        choose(session, there, MailChoices(False, False, True), world.wall)
        assert choices_of(session, actor) == MailChoices(True, True, False)
        assert choices_of(session, there) == MailChoices(False, False, True)
        reader = Actor(actor.person_id, actor.account_id, actor.scope, Role.MEMBER)
        with pytest.raises(Forbidden):
            choose(session, reader, ALL, world.wall)
