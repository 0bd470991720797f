"""The migration to the ledger of use: what was counted before is placed, and adds up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from portal.domain.usage import Counted, Usage
from portal.services.usage import ingest
from portal.services.verifying import verify
from tests.support.database import ROOT

KEPT = """
select 'counter', feature_id, window_start_at::text, used, excess from counters union all
select 'day', feature_id, day || dimension || value, units, 0 from usage_days union all
select 'lot', feature_id, source_key, granted, remaining from lots union all
select 'draw', lot_id, at::text, units, 0 from draws order by 1, 2, 3, 4
"""
Rows = Callable[[], list[tuple[object, ...]]]


@pytest.fixture
def alembic(monkeypatch: pytest.MonkeyPatch, world_database) -> Config:
    monkeypatch.setenv("DATABASE_OWNER_URL", world_database.owner_url)
    config = Config(ROOT / "migrations" / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


@pytest.fixture
def kept(world_database) -> Rows:
    engine = create_engine(world_database.owner_url)

    def rows() -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(KEPT))]
        engine.dispose()
        return found

    return rows


def use(world) -> None:
    """Two windows, an excess, a correction of it, levels out of their order."""
    actor = world.account(plan="starter", price="starter_monthly_usd")
    for day, sent in ((11, (4_000, 7_000, 500, -200)), (32, (300, -100))):
        world.now = datetime(2026, 4, 1, 12, tzinfo=UTC) + timedelta(days=day - 1)
        events = [
            Usage(f"{day}-{n}", "messages", Decimal(units), world.now, {"channel": "mail"}, "Twice")
            for n, units in enumerate(sent)
        ]
        events += [
            Usage(f"level-{day}-{age}", "members", Decimal(age), world.now - timedelta(hours=age))
            for age in (2, 1, 3)
        ]
        with world.session() as session:
            told = ingest(session, world.scope, actor.account_id, events, wall=world.wall)
        assert all(isinstance(verdict, Counted) for verdict in told)


def test_down_and_up_again_leaves_the_ledger_and_what_follows_from_it(world, alembic, kept):
    use(world)
    world.engine.dispose()
    before = kept()
    assert len([row for row in before if row[0] == "draw"]) == 4
    found = ScriptDirectory.from_config(alembic).walk_revisions()
    ledger = next(r for r in found if (r.doc or "").startswith("ledger of use"))
    command.downgrade(alembic, str(ledger.down_revision))
    command.upgrade(alembic, "head")
    assert kept() == before
    with world.session() as session:
        assert verify(session, world.scope) == []
