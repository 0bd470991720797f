"""The simulator against what auto-recharge really did, and against what was really there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.domain.access import Actor
from portal.domain.recharge_simulation import Simulated
from portal.queries.recharge_pages import rechargings
from portal.queries.recharge_trials import simulated
from portal.services.capacity import open_windows_now
from portal.services.usage import count
from tests.services.recharging import Recharge
from tests.services.using import report, used
from tests.support.world import World

BEGAN = datetime(2026, 3, 13, tzinfo=UTC)
"""The first of thirty days of which 11 April is the last."""


@pytest.fixture
def recharge(shop: World) -> Recharge:
    shop.now = BEGAN
    return Recharge(shop)


def tried(recharge: Recharge, actor: Actor, feature: str) -> Simulated:
    """With the values that are agreed to, or proposed."""
    world, state = recharge.world, recharge.world.state(actor)
    with world.session() as session:
        open_windows_now(session, world.scope, state)
        found = rechargings(session, world.scope, state)
        shown = next(each for each in found if each.feature.lookup_key == feature)
        assert shown.proposed is not None
        result = simulated(session, world.scope, state, shown, shown.proposed)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("feature", "pack", "threshold", "a_day"),
    [("sms", "sms_10k", 8_000, 700), ("messages", "messages_50k", 40_000, 9_000)],
)
def test_it_says_what_was_really_bought(recharge, feature, pack, threshold, a_day):
    """What ends with its window, and what never does: the same days, the same charges."""
    world, actor = recharge.world, recharge.world.account(since=datetime(2026, 3, 1, tzinfo=UTC))
    world.buy(actor, pack)
    recharge.agree(actor, threshold=threshold, pack=pack, feature=feature)
    recharge.work()
    for day in range(30):
        world.now = BEGAN + timedelta(days=day, hours=12)
        report(world, actor, used(feature, a_day, world.now))
        recharge.work()
        world.pass_time(minutes=30)
        recharge.work()
    bought = [row for row in recharge.decisions(actor) if row.cause == "bought"]
    found = tried(recharge, actor, feature)
    assert len(bought) >= 2
    assert [c.day for c in found.charges] == [row.at.astimezone(UTC).date() for row in bought]
    assert found.spent.minor == sum(row.amount_minor for row in bought)


def test_what_never_ends_is_there_from_before_the_thirty_days(recharge):
    """A pack of 10,000 of which 1,600 were used is never near its threshold."""
    world, actor = recharge.world, recharge.world.account(since=datetime(2026, 1, 5, tzinfo=UTC))
    world.now = datetime(2026, 3, 1, tzinfo=UTC)
    world.buy(actor, "sms_10k")
    world.now = datetime(2026, 4, 11, 13, tzinfo=UTC)
    days = [datetime(2026, 3, 10, 12, tzinfo=UTC) + timedelta(days=n) for n in range(32)]
    with world.session() as session:
        events = [used("sms", 50, day) for day in days]
        count(session, world.scope, actor.account_id, events, world.wall)
    found = tried(recharge, actor, "sms")
    assert (found.charges, found.lowest, found.closing, found.missed) == ((), 8_400, 8_400, 0)
    assert found.lowest_on == date(2026, 4, 10)
