"""What may be used moves with the clock: a renewal that runs late changes nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.quotas import Allowed, RefusedUse
from portal.models.catalog import AddOnRow
from portal.models.usage import LotRow
from portal.services import quota
from portal.services.charging import Settled
from portal.services.plans import Agreed
from tests.services.changing import ANNUAL, APRIL_1, Office
from tests.services.paying import Till
from tests.services.using import fates, meter, used
from tests.unit.samples import instant

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def office(world) -> Office:
    return Office(world, Till(world))


@pytest.fixture
def down(office, world) -> Actor:
    """On Business until 1 May, then on Growth."""
    world.now = APRIL_1
    actor = office.account(plan="business", price="business_monthly_usd")
    world.now = instant("2026-04-20")
    assert isinstance(office.change(actor, "growth"), Agreed)
    return actor


def may(world, actor: Actor, feature: str) -> bool:
    with world.session() as session:
        answer = quota.check(session, world.scope, actor.account_id, feature, wall=world.wall)
    assert isinstance(answer, Allowed | RefusedUse)
    return isinstance(answer, Allowed)


def limits(world, actor: Actor) -> tuple[int, int, bool]:
    """Messages, members, and whether the Zendesk connector is there."""
    found = [meter(world, actor, feature).allowance for feature in ("messages", "members")]
    return int(found[0] or 0), int(found[1] or 0), may(world, actor, "zendesk")


def lots(world, actor: Actor) -> list[tuple[str, int, int, datetime]]:
    mine = select(LotRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        rows = session.scalars(mine.order_by(LotRow.effective_at, LotRow.source_key))
        return [(r.source_key, int(r.granted), int(r.remaining), r.effective_at) for r in rows]


def test_a_downgrade_comes_with_its_instant_whoever_has_renewed(world, office, down):
    world.now = MAY_1 - timedelta(seconds=1)
    assert limits(world, down) == (500_000, 30, True)
    world.now = MAY_1
    assert limits(world, down) == (100_000, 10, False)
    office.run_due()
    assert limits(world, down) == (100_000, 10, False)
    assert office.plan(down)[0] == "growth"


def test_use_before_the_late_renewal_is_counted_against_the_new_plan(world, office, down):
    world.now = MAY_1 + timedelta(days=2)
    assert fates(world, down, used("messages", 99_999, world.now)) == ["counted"]
    assert may(world, down, "messages")
    assert fates(world, down, used("messages", 1, world.now)) == ["counted"]
    assert not may(world, down, "messages")
    before = lots(world, down)
    office.run_due()
    assert lots(world, down) == before
    assert not may(world, down, "messages")


def test_an_add_on_that_the_new_plan_cannot_have_stops_with_the_old_one(world, office):
    world.now = APRIL_1
    actor = office.account(plan="business", price="business_monthly_usd")
    assert isinstance(world.buy(actor, "storage_100gb"), Settled)
    only = update(AddOnRow).where(AddOnRow.lookup_key == "storage_100gb")
    world.change(only.values(allowed_plans=["business"]))
    world.now = instant("2026-04-20")
    assert isinstance(office.change(actor, "growth"), Agreed)
    assert meter(world, actor, "storage").allowance == 200
    world.now = MAY_1 + timedelta(hours=5)
    assert meter(world, actor, "storage").allowance == 10
    office.run_due()
    assert meter(world, actor, "storage").allowance == 10


def test_a_report_that_was_counted_before_the_change_was_agreed_does_not_hide_it(world, office):
    world.now = APRIL_1
    actor = office.account(plan="business", price="business_monthly_usd")
    world.now = instant("2026-04-20")
    assert may(world, actor, "zendesk")
    office.change(actor, "growth")
    world.now = MAY_1
    assert not may(world, actor, "zendesk")
    world.now = instant("2026-04-21")
    assert office.withdraw(actor)
    world.now = MAY_1
    assert may(world, actor, "zendesk")


@pytest.mark.parametrize("target", ["starter", "growth", "enterprise"])
def test_late_and_on_time_leave_the_same_lots_where_a_window_runs_on(world, office, target):
    """Billed from the 11th on, counted from the 1st on: the window of 1 April 2027 runs on."""

    def live(late: bool) -> list[tuple[str, int, int, datetime]]:
        world.now = APRIL_1
        actor = office.account(plan="business", price="business_monthly_usd")
        world.now = instant("2026-04-11")
        assert isinstance(office.change(actor, "business", ANNUAL), Settled)
        world.now = instant("2027-04-05")
        assert isinstance(office.change(actor, target), Agreed)
        fates(world, actor, used("messages", 1_000, world.now))
        world.now = instant("2027-04-13" if late else "2027-04-11")
        if late:
            meter(world, actor)
        office.run_due()
        for day in ("2027-04-13", "2027-05-02"):
            world.now = instant(day)
            office.run_due()
            meter(world, actor)
        return [lot for lot in lots(world, actor) if lot[3] >= instant("2027-04-01")]

    assert live(late=True) == live(late=False)
