"""`flask usage`: a fault in each projection is found and named; old ids are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from click.testing import Result

from portal.domain.usage import Usage
from portal.local.roles import connect
from portal.models.usage import UsageIdRow
from portal.services.usage import ingest
from tests.support.world import APRIL_11

Run = Callable[..., Result]


@pytest.fixture
def flask(commands) -> Run:
    return partial(commands, "usage")


@pytest.fixture
def used(world) -> None:
    """Draws on two lots, an excess, a correction, a level, dimensions."""
    actor = world.account(plan="starter", price="starter_monthly_usd")
    world.buy(actor, "messages_10k")
    first = [
        Usage("one", "messages", Decimal(9_000), APRIL_11, {"channel": "mail"}),
        Usage("two", "messages", Decimal(12_500), APRIL_11),
        Usage("back", "messages", Decimal(-2_000), APRIL_11, reason="Sent twice"),
        Usage("level", "members", Decimal(2), APRIL_11),
    ]
    later = [
        Usage("three", "messages", Decimal(600), APRIL_11),
        Usage("earlier", "members", Decimal(4), APRIL_11 - timedelta(hours=1)),
    ]
    with world.session() as session:
        for events in (first, later):
            ingest(session, world.scope, actor.account_id, events, wall=world.wall)


def test_what_agrees(used, flask):
    done = flask("verify")
    assert (done.exit_code, done.output) == (
        0, "Lots, counters and days agree with their events.\n",
    )  # fmt: skip


FAULTS = {
    "lots": ("update lots set remaining = remaining + 1 where source = 'pack'", "lot "),
    "draws": ("delete from draws where units < 0", "lot "),
    "events": ("update usage_events set excess = units where event_id = 'one'", "event one"),
    "counter": ("update counters set used = used + 1 where excess > 0", "the counter says 20101"),
    "excess": ("update counters set excess = excess - 1 where excess > 0", "in excess"),
    "level": ("update counters set used = 4 where level_at is not null", "the counter says 4"),
    "no counter": ("delete from counters where excess > 0", "the counter says nothing"),
    "a counter too many": (
        "insert into counters select environment_id, account_id, feature_id, '2030-01-01', 1, 0"
        " from counters limit 1",
        "its events nothing",
    ),
    "day": ("update usage_days set units = units + 1 where dimension = ''", "the day says 20101"),
    "a part of a day": ("delete from usage_days where value = 'mail'", "channel mail: the day"),
    "peak": ("update usage_days set units = 2 where units = 4", "the day says 2, its events 4"),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_and_the_status_is_1(used, flask, world, world_database, fault, said):
    with connect(world_database.owner_url) as owner:
        owner.execute(fault)
    done = flask("verify")
    assert done.exit_code == 1
    assert said in done.output
    assert "agree" not in done.output


def test_ids_are_forgotten_once_they_are_old(used, flask, world):
    assert flask("forget-ids").output == "0 ids deleted.\n"
    world.pass_time(days=35, seconds=1)
    assert flask("forget-ids").output == "6 ids deleted.\n"
    assert world.rows(UsageIdRow) == 0
