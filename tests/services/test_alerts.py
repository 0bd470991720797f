"""Alerts about quotas: once per threshold and window, to whom, and armed again by more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event as events_of
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.events import EventName
from portal.domain.webhooks import ANNOUNCED
from portal.models.accounts import AccountRow
from portal.models.alerts import QuotaAlertRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.queries.loads import told_loads
from portal.services.mail_choices import MailChoices, choices_of, choose
from portal.services.usage import count, ingest
from tests.services.using import correction, fates, give, of_plan, report, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


def alerts(world: World, actor: Actor) -> list[tuple[int, int]]:
    """Threshold and allowance of each, as they came."""
    mine = select(QuotaAlertRow).where(QuotaAlertRow.account_id == actor.account_id)
    with world.session() as session:
        rows = session.scalars(mine.order_by(QuotaAlertRow.id))
        return [(row.threshold, int(row.allowance)) for row in rows]


def mailed(world: World, actor: Actor) -> list[tuple[str, int]]:
    """Recipient and threshold of each mail."""
    mine = select(MailRow).filter_by(account_id=actor.account_id, kind="quota_reached")
    with world.session() as session:
        rows = session.scalars(mine.order_by(MailRow.id))
        return [(row.recipient.partition("@")[0], row.notice["threshold"]) for row in rows]


def use(world: World, actor: Actor, *units: object, feature: str = "messages") -> None:
    for each in units:
        assert fates(world, actor, used(feature, each, world.now)) == ["counted"]


def standing(world: World, actor: Actor) -> list[str]:
    with world.session() as session:
        found = told_loads(session, world.scope, world.state(actor))
        return [each.feature.lookup_key for each in found]


def test_at_exactly_75_90_and_100_percent_each_once(world):
    actor = world.account()
    use(world, actor, "74999.99999999")
    assert alerts(world, actor) == []
    use(world, actor, "0.00000001", 1, 14_998)
    assert alerts(world, actor) == [(75, 100_000)]
    use(world, actor, 1, 5, 9_995, 1, 500)
    assert alerts(world, actor) == [(75, 100_000), (90, 100_000), (100, 100_000)]
    assert mailed(world, actor) == [("owner", 75), ("owner", 90), ("owner", 100)]


def test_a_report_that_reaches_several_thresholds_sends_one_mail(world):
    actor = world.account()
    use(world, actor, 250_000)
    assert [each for each, _ in alerts(world, actor)] == [75, 90, 100]
    assert mailed(world, actor) == [("owner", 100)]


def test_the_mail_says_what_is_used_when_it_ends_and_what_would_help(world):
    actor = world.account()
    use(world, actor, 90_000)
    with world.session() as session:
        mine = select(MailRow.notice).filter_by(account_id=actor.account_id)
        [said] = session.scalars(mine)
    assert (Decimal(said["used"]), Decimal(said["allowance"])) == (90_000, 100_000)
    assert said["resets_at"] == "2026-05-01T00:00:00Z"
    assert said["help"]["add_on"] == "messages_10k"


def test_the_host_hears_of_the_highest(world):
    actor = world.account()
    use(world, actor, 90_000, 1)
    with world.session() as session:
        mine = select(EventRow).filter_by(account_id=actor.account_id, name="quota:reached")
        [heard] = session.scalars(mine)
    assert EventName.QUOTA_REACHED in ANNOUNCED
    assert heard.detail == {
        "feature": "messages", "threshold": 90, "used": "90000", "allowance": "100000",
    }  # fmt: skip


def test_a_correction_that_takes_use_below_and_use_again_tells_nothing_twice(world):
    actor = world.account()
    use(world, actor, 80_000)
    report(world, actor, correction("messages", 20_000, world.now))
    use(world, actor, 20_000)
    assert alerts(world, actor) == [(75, 100_000)]


def test_a_pack_in_the_same_second_arms_the_threshold_once_more(world):
    actor = world.account()
    use(world, actor, 80_000)
    world.buy(actor, "messages_100k")
    assert standing(world, actor) == []
    use(world, actor, 69_999)
    assert alerts(world, actor) == [(75, 100_000)]
    use(world, actor, 1, 1)
    report(world, actor, correction("messages", 1_000, world.now))
    use(world, actor, 1_000)
    assert alerts(world, actor) == [(75, 100_000), (75, 200_000)]
    assert standing(world, actor) == ["messages"]


def test_what_a_pack_leaves_above_the_threshold_is_not_told_again(world):
    actor = world.account()
    use(world, actor, 80_000)
    give(world, actor, "messages", ("small", 1_000, None))
    use(world, actor, 100, 100)
    assert alerts(world, actor) == [(75, 100_000)]
    use(world, actor, 90_000)  # most of it excess, which was not there before
    assert alerts(world, actor) == [(75, 100_000), (90, 101_000), (100, 101_000)]


def test_excess_before_a_pack_is_no_use_of_it(world):
    actor = world.account()
    use(world, actor, 140_000)
    give(world, actor, "messages", ("large", 100_000, None))
    use(world, actor, 49_999)
    assert len(alerts(world, actor)) == 3
    use(world, actor, 1)
    assert alerts(world, actor)[3:] == [(75, 200_000)]


def test_a_new_window_begins_anew_and_late_use_of_the_old_one_is_silent(world):
    actor = world.account()
    use(world, actor, 70_000)
    world.now = MAY_1 + timedelta(hours=2)
    report(world, actor, used("messages", 20_000, MAY_1 - timedelta(hours=1)))
    assert alerts(world, actor) == []
    use(world, actor, 74_999, 1, 5_000)
    assert alerts(world, actor) == [(75, 100_000)]
    give(world, actor, "messages", ("small", 1_000, None))
    report(world, actor, used("messages", 9_000, MAY_1 - timedelta(hours=1)))
    assert alerts(world, actor) == [(75, 100_000)], "what is late does not bring use below"
    world.now = datetime(2026, 6, 1, tzinfo=UTC)
    assert standing(world, actor) == []
    use(world, actor, 77_000)
    assert alerts(world, actor) == [(75, 100_000), (75, 101_000)]


def test_a_clock_that_jumps_over_windows_tells_of_the_present_one(world):
    actor = world.account()
    use(world, actor, 76_000)
    mine = update(AccountRow).where(AccountRow.id == actor.account_id)
    ahead = world.now + timedelta(days=100)
    world.change(mine.values(test_clock_at=ahead))
    report(world, actor, used("messages", 91_000, ahead))
    assert alerts(world, actor) == [(75, 100_000), (75, 100_000), (90, 100_000)]
    assert mailed(world, actor) == [("owner", 75), ("owner", 90)]


def test_a_level_is_told_of_when_it_comes_from_below(world):
    actor = world.account()  # 10 members
    use(world, actor, 7, 8, 7, 8, 10, feature="members")
    assert alerts(world, actor) == [(75, 10), (90, 10), (100, 10)]
    assert [threshold for _, threshold in mailed(world, actor)] == [75, 100]
    world.now = MAY_1 + timedelta(days=1)
    use(world, actor, 10, feature="members")
    assert len(alerts(world, actor)) == 3, "it stayed full"
    use(world, actor, 2, 10, feature="members")
    assert len(alerts(world, actor)) == 6, "once in the new window"
    world.buy(actor, "members_5")
    use(world, actor, 11, 12, feature="members")
    assert alerts(world, actor)[6:] == [(75, 15)]


def test_nothing_is_told_without_a_limit_or_where_there_is_none(world):
    actor = world.account()
    use(world, actor, 50, feature="sms")
    world.change(of_plan("growth", usage_limit=None))
    use(world, actor, 10**6)
    world.change(of_plan("growth", usage_limit=0))
    other = world.account()
    use(world, other, 500)
    world.change(of_plan("growth", usage_limit=100_000))
    assert alerts(world, actor) == alerts(world, other) == []


def test_use_that_is_loaded_from_before_tells_nobody(world):
    actor = world.account()
    with world.session() as session:
        full = [used("messages", 100_000, world.now)]
        assert count(session, world.scope, actor.account_id, full, world.wall) == 1
    assert alerts(world, actor) == []
    assert standing(world, actor) == []


def test_those_who_may_act_are_told_but_for_those_who_chose_not_to_be(world):
    actor = world.account()
    quiet = world.member(actor.account_id, f"quiet{actor.account_id}@x.test", Role.BILLING)
    world.member(actor.account_id, f"reader{actor.account_id}@x.test", Role.MEMBER)
    with world.session() as session:
        assert choices_of(session, quiet) == MailChoices(alerts=True, expiries=True, digest=False)
        choose(session, quiet, MailChoices(False, True, False), world.wall)
    use(world, actor, 75_000)
    assert mailed(world, actor) == [("owner", 75)]


def test_40_reports_at_once_that_cross_tell_once(world):
    actor = world.account()
    use(world, actor, 74_000)
    batches = [[used("messages", 50, world.now)] for _ in range(40)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda batch: report(world, actor, *batch), batches))
    assert alerts(world, actor) == [(75, 100_000)]
    assert mailed(world, actor) == [("owner", 75)]


def test_a_report_that_is_sent_again_or_rolled_back_leaves_no_second_alert(world):
    actor = world.account()
    batch = [used("messages", 80_000, world.now)]

    def crash(*_: object) -> None:
        raise ConnectionError

    with world.session() as session:
        events_of.listen(session, "before_commit", crash)
        with pytest.raises(ConnectionError):
            ingest(session, world.scope, actor.account_id, batch, wall=world.wall)
    assert alerts(world, actor) == mailed(world, actor) == []
    assert fates(world, actor, *batch) == ["counted"]
    assert fates(world, actor, *batch) == ["duplicate"]
    assert alerts(world, actor) == [(75, 100_000)]
