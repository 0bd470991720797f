"""What the usage page says, for tests: an account's trends, and use day by day."""

from __future__ import annotations

from datetime import timedelta

from portal.domain.access import Actor
from portal.queries.usage import meters
from portal.queries.usage_page import Trend, trends
from portal.services.capacity import open_windows_now
from tests.services.using import report, used
from tests.support.world import World

DAY = timedelta(days=1)


def all_trends(world: World, actor: Actor) -> tuple[Trend, ...]:
    state = world.state(actor)
    with world.session() as session:
        open_windows_now(session, world.scope, state)
        found = meters(session, world.scope, state)
        return trends(session, world.scope, state, found)


def trend(world: World, actor: Actor, feature: str = "messages") -> Trend:
    found = all_trends(world, actor)
    return next(t for t in found if t.meter.feature.lookup_key == feature)


def use_daily(world: World, actor: Actor, units: int, days: int = 7, **more: str) -> None:
    """So much on each of the whole days before today."""
    report(world, actor, *(used("messages", units, world.now - n * DAY, **more)
                           for n in range(1, days + 1)))  # fmt: skip
