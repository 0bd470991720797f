"""Among 20,000 events an index leads to those that staff ask for, under row security too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from portal.domain.activity import Kind
from portal.local.roles import connect
from portal.models.accounts import AccountRow
from portal.queries.tenant_activity import (
    MOST_ROWS,
    Place,
    TenantFilters,
    tenant_file,
    tenant_page,
)
from tests.support.database import clone
from tests.support.world import APRIL_11, World

FILL = """
INSERT INTO events (environment_id, account_id, actor, name, subject, at)
SELECT %(environment)s, n %% 8 + 1, CASE n %% 2 WHEN 0 THEN 'person:' || n %% 40 ELSE 'stripe' END,
       CASE n %% 2 WHEN 0 THEN 'session:started' ELSE 'invoice:paid' END, 'account:1',
       %(now)s - n * interval '6 minutes'
FROM generate_series(1, 20000) n
UNION ALL
SELECT %(environment)s, NULL, CASE n %% 2 WHEN 0 THEN 'staff:' || n ELSE 'cli' END,
       'catalog:applied', 'catalog:1', %(now)s - n * interval '1 day'
FROM generate_series(1, 60) n
"""
SINCE = APRIL_11.date() - timedelta(days=92)
ASKED = {
    "all": {},
    **{f"kind {kind}": {"kind": kind} for kind in (Kind.MONEY, Kind.SUPPORT, Kind.CARDS)},
    "own": {"own": True},
    **{f"doer {doer}": {"doer": doer} for doer in ("person", "staff", "staff:4", "key", "cli")},
    **{f"account {name}": {"account": name} for name in ("account3", "nobody's")},
    "a day": {"until": SINCE},
}
PLACES = {"first": None, "next": Place(APRIL_11 - timedelta(days=40), 9)}


@pytest.fixture(scope="module")
def crowd(demo_template: str) -> Iterator[World]:
    """8 accounts, and 60 events of the tenant's own, of which the planner knows."""
    with clone(demo_template) as database:
        world = World(database.app_url)
        for _ in range(8):
            world.account(card=None)
        with connect(database.owner_url) as owner:
            owner.execute(FILL, {"environment": world.scope.environment_id, "now": world.now})
            owner.execute("ANALYZE events")
            owner.commit()
        yield world
        world.engine.dispose()


def plans(world: World, act: object) -> str:
    """How every statement is answered that reads events."""
    sent = []

    def note(_connection, _cursor, statement: str, given, *_rest) -> None:
        sent.append((statement, given))

    with world.session() as session:
        event.listen(world.engine, "before_cursor_execute", note)
        act(session)
        event.remove(world.engine, "before_cursor_execute", note)
        reads = [each for each in sent if "FROM events" in each[0]]
        assert reads
        answers = [session.connection().exec_driver_sql(f"EXPLAIN {q}", g) for q, g in reads]
        return "\n".join(line for answer in answers for (line,) in answer)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("place", PLACES)
def test_no_page_reads_all_events(crowd, asked, place):
    filters = TenantFilters(SINCE, **ASKED[asked])
    said = plans(crowd, lambda s: tenant_page(s, crowd.scope, filters, PLACES[place]))
    assert ("on events" in said) is (asked != "account nobody's")
    assert "Seq Scan on events" not in said


def test_neither_does_a_file_of_little(crowd):
    filters = TenantFilters(SINCE, doer="staff")
    said = plans(crowd, lambda s: tenant_file(s, crowd.scope, filters))
    assert "ix_events_actor" in said


def test_a_file_has_the_newest_20_000(crowd):
    with crowd.session() as session:
        found = tenant_file(session, crowd.scope, TenantFilters(SINCE))
    assert len(found) == MOST_ROWS
    assert found[0].act.at > found[-1].act.at > APRIL_11 - timedelta(days=85)


@pytest.mark.parametrize(
    ("account", "count"), [("host-7", 2500), ("NorthWind", 2500), ("HOST-7", 0), ("north", 0)]
)
def test_an_account_is_its_id_at_the_host_or_its_name_in_any_case(crowd, account, count):
    named = update(AccountRow).where(AccountRow.id == 7).values(key="host-7", name="Northwind")
    crowd.change(named)
    with crowd.session() as session:
        asked = TenantFilters(SINCE, kind=Kind.MONEY, account=account)
        found = tenant_file(session, crowd.scope, asked)
        asked = replace(asked, kind=Kind.SIGN_IN)
        found += tenant_file(session, crowd.scope, asked)
    assert len(found) == count


@pytest.mark.parametrize(
    ("doer", "count"), [("staff", 30), ("staff:4", 1), ("staff:5", 0), ("staf", 0), ("cli", 30)]
)
def test_a_doer_is_a_whole_name_or_what_stands_before_its_colon(crowd, doer, count):
    with crowd.session() as session:
        found = tenant_file(session, crowd.scope, TenantFilters(SINCE, own=True, doer=doer))
    assert len(found) == count
