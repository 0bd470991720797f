"""Trends: pace, forecast, course, breakdown, months and the cheapest packs, from what is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, update

from portal.domain.forecast import Outlook, RunRate
from portal.models.subscriptions import SubscriptionRow
from portal.queries.usage import meters
from portal.queries.usage_days import Month, Share
from portal.queries.usage_page import months_before, trends
from tests.services.trending import DAY, trend, use_daily
from tests.services.using import correction, give, of_plan, report, used
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11 + timedelta(hours=12)
    return shop


def test_seven_whole_days_make_the_pace_and_today_does_not(world):
    actor = world.account()
    use_daily(world, actor, 5_000)
    report(
        world, actor, used("messages", 900, world.now), used("messages", 70, world.now - 8 * DAY)
    )
    found = trend(world, actor)
    assert found.forecast is not None
    assert found.forecast.rate == RunRate(Decimal(35_000), 7)
    assert found.meter.used == 35_970
    assert found.forecast.at_end == 35_970 + 5_000 * 19.5
    lasts = timedelta(days=(100_000 - 35_970) / 5_000)
    assert abs(found.forecast.runs_out_at - world.now - lasts) < timedelta(seconds=1)
    assert found.outlook is Outlook.ENOUGH, "in more than seven days"
    assert found.forecast.short == 33_470


def test_a_rush_after_a_calm_week_is_seen_the_same_day(world):
    actor = world.account()
    use_daily(world, actor, 10)
    report(world, actor, used("messages", 91_000, world.now))
    found = trend(world, actor)
    assert found.forecast is not None
    assert found.forecast.rate == RunRate(Decimal(91_000), 1, is_today=True)
    assert found.outlook is Outlook.AT_ONCE
    assert found.forecast.short > 0


@pytest.mark.parametrize(
    ("each", "said"),
    [(12_300, Outlook.SOON), (14_100, Outlook.AT_ONCE), (14_286, Outlook.USED_UP),
     (5_800, Outlook.ENOUGH), (1_000, Outlook.ENOUGH)],
)  # fmt: skip
def test_the_outlook_of_a_pace(world, each, said):
    actor = world.account()
    use_daily(world, actor, each)
    assert trend(world, actor).outlook is said


def test_a_new_account_has_no_forecast_before_one_whole_day(world):
    actor = world.account()
    none = trend(world, actor)
    assert (none.forecast, none.months, none.mix) == (None, (), None)
    report(world, actor, used("messages", 90_000, world.now))
    assert trend(world, actor).forecast is None
    world.pass_time(days=1)
    found = trend(world, actor)
    assert found.forecast is not None
    assert found.forecast.rate == RunRate(Decimal(90_000), 1)
    assert found.outlook is Outlook.AT_ONCE


def test_the_pace_goes_on_into_a_new_window(world):
    actor = world.account()
    world.now = MAY_1 - timedelta(hours=1)
    use_daily(world, actor, 10_000)
    world.now = MAY_1 + timedelta(hours=1)
    found = trend(world, actor)
    assert found.meter.used == 0
    assert found.forecast is not None
    assert found.forecast.rate.units == 60_000, "the day before its last, and six before that"
    assert (found.days[0], found.days[-1]) == (date(2026, 5, 1), date(2026, 5, 31))
    assert found.course == (0,)
    assert found.until == datetime(2026, 6, 1, tzinfo=UTC)


def test_the_course_ends_in_the_meter_and_leads_to_the_forecast(world):
    actor = world.account()
    world.now = APRIL_11 - timedelta(days=8, hours=-12)
    report(world, actor, used("messages", 4_000, world.now))
    world.now = APRIL_11 + timedelta(hours=12)
    use_daily(world, actor, 2_000)
    report(world, actor, correction("messages", 500, world.now - DAY))
    found = trend(world, actor)
    assert found.course[-1] == found.meter.used == 17_500
    assert [int(units) for units in found.course[:4]] == [0, 0, 4_000, 6_000]
    assert list(found.course) == sorted(found.course)
    assert len(found.course) == 11
    assert len(found.course) + len(found.ahead) == len(found.days) + 1
    assert found.forecast is not None
    assert found.ahead[-1] == found.forecast.at_end
    assert found.elapsed == 0.5


@pytest.mark.parametrize("seconds", [1, 3_601, 43_199])
def test_the_last_day_ahead_says_what_the_forecast_says(seconds, world):
    actor = world.account()
    use_daily(world, actor, 2_001)
    world.pass_time(seconds=seconds)
    found = trend(world, actor)
    assert found.forecast is not None
    assert found.forecast.at_end == found.ahead[-1]


def test_a_window_that_begins_at_noon_has_a_part_of_its_first_day(world):
    actor = world.account(since=datetime(2026, 4, 1, 12, tzinfo=UTC))
    for hour, units in ((9, 700), (15, 40)):
        world.now = datetime(2026, 4, 1, hour, tzinfo=UTC)
        report(world, actor, used("messages", units, world.now))
    found = trend(world, actor)
    assert (found.meter.used, found.course) == (40, (40,))
    assert (found.days[0], found.days[-1]) == (date(2026, 4, 1), date(2026, 5, 1))
    world.now = datetime(2026, 4, 2, tzinfo=UTC)
    later = trend(world, actor)
    assert later.forecast is not None
    assert later.ahead[-1] == later.forecast.at_end == 40 + 740 * 29.5, "to noon of the last day"


def test_days_and_months_are_those_of_the_accounts_zone(world):
    actor = world.account(zone="Asia/Tokyo", since=datetime(2026, 3, 31, 15, tzinfo=UTC))
    world.now = datetime(2026, 4, 30, 16, tzinfo=UTC)  # 1 May, 01:00
    report(world, actor, used("messages", 10, datetime(2026, 4, 30, 14, 59, tzinfo=UTC)),
           used("messages", 7, datetime(2026, 4, 30, 15, 30, tzinfo=UTC)))  # fmt: skip
    found = trend(world, actor)
    assert found.days[0] == date(2026, 5, 1)
    assert found.course == (7,)
    assert found.months == (
        Month(date(2026, 4, 1), Decimal(10), Decimal(10)),
        Month(date(2026, 5, 1), Decimal(7), Decimal(7)),
    )


def test_twelve_months_end_with_this_one():
    assert months_before(date(2026, 11, 26)) == date(2025, 12, 1)
    assert months_before(date(2026, 12, 1)) == date(2026, 1, 1)


def test_this_window_by_dimension_the_largest_first(world):
    actor = world.account()
    world.now = datetime(2026, 3, 31, 23, tzinfo=UTC)
    report(world, actor, used("messages", 5, world.now, channel="old"))
    world.now = APRIL_11
    report(world, actor, used("messages", 30, world.now, channel="chat", team="a"),
           used("messages", 50, world.now, channel="mail"),
           used("messages", 9, world.now))  # fmt: skip
    by_channel, by_team = trend(world, actor).breakdowns
    assert by_channel.shares == (Share("mail", Decimal(50)), Share("chat", Decimal(30)))
    assert (by_channel.others, by_channel.other_units) == (0, 0)
    assert (by_team.dimension, by_team.shares) == ("team", (Share("a", Decimal(30)),))


def test_what_has_no_dimension_makes_the_breakdown_sum_to_the_whole(world):
    actor = world.account()
    report(world, actor, used("messages", 100, world.now, channel="web", team="a"),
           used("messages", 20, world.now, channel="chat"))  # fmt: skip
    report(world, actor, correction("messages", 70, world.now))
    found = trend(world, actor)
    by_channel, by_team = found.breakdowns
    assert (by_channel.whole, by_channel.rest) == (120, -70)
    assert (by_team.whole, by_team.rest) == (100, -50)
    report(world, actor, correction("messages", 20, world.now, channel="web", team="a"))
    assert [each.rest for each in trend(world, actor).breakdowns] == [-70, -50]


def test_of_many_values_eight_are_named_and_the_rest_counted(world):
    actor = world.account()
    report(world, actor, *(used("messages", n, world.now, team=f"t{n:02}") for n in range(1, 13)))
    (by_team,) = trend(world, actor).breakdowns
    assert [int(share.units) for share in by_team.shares] == [12, 11, 10, 9, 8, 7, 6, 5]
    assert (by_team.others, by_team.other_units) == (4, 10)


def test_a_level_has_a_course_and_no_forecast(world):
    actor = world.account()
    for ago, level in ((5, 3), (3, 7), (3, 6)):
        report(world, actor, used("members", level, world.now - ago * DAY))
    found = trend(world, actor, "members")
    assert found.course == (3, 3, 7, 6, 6, 6), "a day's highest level, then the present one"
    assert (found.forecast, found.ahead, found.mix) == (None, (), None)
    assert [month.highest for month in found.months] == [7]


def test_a_level_reported_long_ago_is_a_line_of_thirty_days(world):
    actor = world.account()
    report(world, actor, used("members", 4, world.now))
    world.pass_time(days=50)
    assert trend(world, actor, "members").course == (4,) * 30


def test_without_a_limit_there_is_a_pace_and_nothing_to_run_out(world):
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    try:
        world.change(of_plan("enterprise", usage_limit=None))
        use_daily(world, actor, 9_000_000)
        found = trend(world, actor)
    finally:
        world.change(of_plan("enterprise", usage_limit=2_000_000))
    assert found.forecast is not None
    assert (found.forecast.runs_out_at, found.forecast.short) == (None, 0)
    assert found.outlook is Outlook.ENOUGH


def test_units_that_nothing_refills_run_out_after_the_window_too(world):
    actor = world.account()
    give(world, actor, "sms", ("pack", 10_000, None))
    report(world, actor, *(used("sms", 100, world.now - n * DAY + timedelta(hours=6))
                           for n in range(0, 8)))  # fmt: skip
    found = trend(world, actor, "sms")
    assert not found.refills
    assert found.forecast is not None
    assert found.forecast.runs_out_at is not None
    assert found.forecast.runs_out_at > MAY_1 + 30 * DAY
    assert found.forecast.short == 0


def test_a_plan_that_ends_is_not_refilled_and_its_end_is_the_last_day_that_counts(world):
    actor = world.account()
    use_daily(world, actor, 5_000)
    ends = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(ends.values(cancel_at=MAY_1))
    found = trend(world, actor)
    assert (found.refills, found.until) == (False, MAY_1)
    assert found.forecast is not None
    assert found.forecast.short > 0


def test_four_statements_however_many_features_and_no_event_is_read(world):
    actor = world.account(plan="enterprise", price="enterprise_monthly_usd")
    use_daily(world, actor, 100_000, channel="chat", team="a")
    report(world, actor, *(used(f, 2, world.now) for f in ("sms", "members", "storage")))
    state, sent = world.state(actor), []
    with world.session() as session:
        found = meters(session, world.scope, state)
        event.listen(world.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
        made = trends(session, world.scope, state, found)
        assert trends(session, world.scope, state, ()) == ()
    assert len(made) == len(found) > 3
    assert len(sent) == 4, sent
    assert all("usage_days" in statement for statement in sent)
