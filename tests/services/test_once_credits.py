"""Credits that come once with a plan: when it comes, and never again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.legal import CustomerType
from portal.models.usage import LotRow
from portal.queries.wallet import lots_left
from portal.services.charging import Settled
from portal.services.plans import Agreed
from tests.services.changing import ANNUAL, APRIL_1, MONTHLY, Office
from tests.services.consuming import Consumer
from tests.services.leaving import gone
from tests.services.paying import Till
from tests.services.using import meter
from tests.services.welcoming import welcome
from tests.unit.samples import instant

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def office(world) -> Office:
    """Each plan gives text messages once, for 30 days."""
    welcome(world, {"growth": 50, "business": 500})
    return Office(world, Till(world))


def credits(world, actor: Actor) -> list[tuple[int, datetime]]:
    """What has come by now, after a page was read."""
    meter(world, actor)
    mine = LotRow.account_id == actor.account_id, LotRow.source_key.startswith("plan-grant:")
    with world.session() as session:
        rows = session.scalars(select(LotRow).where(*mine).order_by(LotRow.id))
        return [(int(row.granted), row.effective_at) for row in rows]


def left(world, actor: Actor) -> int:
    """Text messages that can be sent now."""
    state = world.state(actor)
    with world.session() as session:
        rows = lots_left(session, world.scope, state)
        return sum(int(row.remaining) for row in rows if row.source_key.startswith("plan-grant:"))


def on(office: Office, world, plan: str, interval: str = "monthly") -> Actor:
    world.now = APRIL_1
    return office.account(plan=plan, price=f"{plan}_{interval}_usd")


def test_they_come_with_the_plan_and_end_after_their_time(office, world):
    actor = on(office, world, "growth")
    assert credits(world, actor) == [(50, APRIL_1)]
    world.now = APRIL_1 + timedelta(days=30, seconds=-1)
    assert left(world, actor) == 50
    world.now = APRIL_1 + timedelta(days=30)
    assert left(world, actor) == 0


def test_an_upgrade_brings_its_own_from_its_instant(office, world):
    actor = on(office, world, "growth")
    credits(world, actor)
    world.now = later = instant("2026-04-20")
    assert isinstance(office.change(actor, "business"), Settled)
    assert credits(world, actor) == [(50, APRIL_1), (500, later)]
    world.now = instant("2026-05-19")
    assert left(world, actor) == 500


@pytest.mark.parametrize("late", [False, True])
def test_a_downgrade_brings_its_own_at_its_instant_whoever_has_renewed(office, world, late):
    actor = on(office, world, "business")
    credits(world, actor)
    world.now = instant("2026-04-20")
    assert isinstance(office.change(actor, "growth"), Agreed)
    world.now = MAY_1 - timedelta(seconds=1)
    assert credits(world, actor) == [(500, APRIL_1)]
    world.now = MAY_1 + timedelta(hours=5)
    if not late:
        office.run_due()
    assert credits(world, actor) == [(500, APRIL_1), (50, MAY_1)]
    office.run_due()
    assert office.plan(actor)[0] == "growth"
    assert credits(world, actor) == [(500, APRIL_1), (50, MAY_1)]


def test_a_change_of_interval_brings_none_though_it_moves_the_anchor(office, world):
    actor = on(office, world, "growth")
    credits(world, actor)
    world.now = instant("2026-04-11")
    assert isinstance(office.change(actor, "growth", ANNUAL), Settled)
    assert credits(world, actor) == [(50, APRIL_1)]
    world.now = instant("2027-04-01")
    assert isinstance(office.change(actor, "growth", MONTHLY), Agreed)
    for day in ("2027-04-12", "2027-06-01"):
        world.now = instant(day)
        assert credits(world, actor) == [(50, APRIL_1)]
        office.run_due()
        assert credits(world, actor) == [(50, APRIL_1)]


def test_going_to_and_fro_brings_them_once(office, world):
    actor = on(office, world, "growth")
    credits(world, actor)
    for day in ("2026-04-10", "2026-05-10", "2026-06-10"):
        world.now = instant(day)
        assert isinstance(office.change(actor, "business"), Settled)
        assert isinstance(office.change(actor, "growth"), Agreed)
        credits(world, actor)
        world.now += timedelta(days=25)
        office.run_due()
        assert office.plan(actor)[0] == "growth"
    assert credits(world, actor) == [(50, APRIL_1), (500, instant("2026-04-10"))]


def test_who_withdraws_from_a_plan_has_none_of_them_left(office, world):
    actor = office.account(country="FR", customer_type=CustomerType.CONSUMER)
    gone(world, actor)
    office.change(actor, "growth")
    assert credits(world, actor)[-1] == (50, MAY_1)
    world.now = later = MAY_1 + timedelta(days=2)
    assert Consumer(world, actor).withdraw(None) is not None
    office.change(actor, "growth")
    assert credits(world, actor)[-1] == (50, later)
    assert left(world, actor) == 50
