"""The usage page, the wallet and the digest say one pace of one account, also in its first week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from portal.domain.access import Actor
from portal.domain.mails import Reader
from portal.domain.use_notices import UsageDigest
from portal.queries.recharge import pace_of
from portal.services.digesting import weeks_of_use
from portal.web.mail import LetterWriter
from tests.services.using import give, report, used
from tests.support.world import World
from tests.web.conftest import settings_for
from tests.web.reading import Visitor

MONDAY = datetime(2026, 4, 19, 22, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = "Pacific/Auckland"
"""Where it is Monday morning then, and in UTC Sunday still."""


@pytest.fixture
def actor(world: World) -> Actor:
    world.now = MONDAY - 31 * DAY
    actor = world.account(zone=ZONE, since=datetime(2026, 3, 1, tzinfo=UTC))
    give(world, actor, "sms", ("pack", 90_000, None))
    world.buy(actor, "sms_10k")
    world.now = MONDAY
    return actor


@pytest.fixture
def said(world, actor, app, world_database):
    """What the three say, in one line each."""
    writer = LetterWriter(app, settings_for(world_database))

    def read() -> tuple[str, str, str]:
        state = world.state(actor)
        with world.session() as session:
            weeks = weeks_of_use(session, world.scope, state, date(2026, 4, 20))
        letter = writer.write(
            UsageDigest(actor.account_id, date(2026, 4, 20), MONDAY, weeks),
            Reader("en", ZONE, "Account"),
        )
        visit, base = Visitor(app.test_client()), "/settings/billing"
        visit.sign_in("owner@account1.test")
        return visit.get(f"{base}/usage").text, visit.get(f"{base}/wallet").text, letter.text

    return read


def use_since(world: World, actor: Actor, days: int, fewest: int) -> list[int]:
    """Another amount each day, today included; that of yesterday first."""
    units = [fewest + 37 * n for n in range(days + 1)]
    for n in range(days, -1, -1):
        use(world, actor, units[n], days_ago=n)
    return units[1:]


def use(world: World, actor: Actor, units: object, days_ago: int) -> None:
    world.now = MONDAY - days_ago * DAY
    report(world, actor, used("sms", units, world.now))
    world.now = MONDAY


@pytest.mark.parametrize(
    ("age", "usage", "wallet"),
    [
        (1, "Pace, one day so far {}", "{}, after one whole day."),
        (3, "Pace, last 3 days {}", "{} in the last 3 days."),
        (7, "Pace, last 7 days {}", "{} in the last 7 days."),
        (30, "Pace, last 7 days {}", "{} in the last 7 days."),
    ],
)
def test_three_pages_say_one_pace_whatever_the_accounts_age(world, actor, said, age, usage, wallet):
    by_day = use_since(world, actor, age, fewest=100)
    days = min(age, 7)
    pace = f"{round(Fraction(sum(by_day[:days]), days))} a day"
    on_usage, in_wallet, in_digest = said()
    assert usage.format(pace) in on_usage
    assert wallet.format(pace) in in_wallet
    assert f"{sum(by_day[:7]):,} credits, {pace}" in in_digest


def test_a_pace_below_ten_has_a_decimal_and_one_below_a_tenth_is_said_so(world, actor, said):
    use(world, actor, "0.3", days_ago=7)
    for text in said():
        assert "less than 0.1 a day" in text
    use(world, actor, "65.2", days_ago=2)
    for text in said():
        assert "9.4 a day" in text


def test_before_a_whole_day_there_is_none(world, actor, said):
    use(world, actor, 500, days_ago=0)
    on_usage, in_wallet, in_digest = said()
    assert "Pace" not in on_usage
    assert "A pace comes after the first whole day of use" in in_wallet
    assert "0 credits, 0 a day" in in_digest


def test_a_week_without_use_is_a_pace_of_nothing(world, actor, said):
    use(world, actor, 500, days_ago=20)
    on_usage, in_wallet, in_digest = said()
    assert "Pace, last 7 days 0 a day" in on_usage
    assert "None were used in the last 7 days." in in_wallet
    assert "0 credits, 0 a day" in in_digest


def test_auto_recharge_reckons_with_that_pace_or_with_today(world, actor):
    by_day = use_since(world, actor, 3, fewest=100)
    feature = next(f for f in world.catalog().features if f.lookup_key == "sms")

    def pace() -> Fraction:
        with world.session() as session:
            return pace_of(session, world.scope, world.state(actor), feature)

    assert pace() == Fraction(sum(by_day), 3) == 174
    use(world, actor, 75, days_ago=0)
    assert pace() == 175, "today's 100 and these"
