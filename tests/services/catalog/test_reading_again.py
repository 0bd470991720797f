"""Readers keep a copy of the catalog, and never an old one."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import event

from portal.queries.catalog import current_catalog, load_catalog
from portal.services.catalog.applying import Applied, apply_catalog


def statements(world, read) -> int:
    """How many statements `read` sends."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    with world.session() as session:
        session.connection()
        event.listen(world.engine, "before_cursor_execute", note)
        read(session)
        event.remove(world.engine, "before_cursor_execute", note)
    return len(sent)


def test_a_second_reader_asks_only_for_the_version(world):
    def read(session):
        return current_catalog(session, world.scope)

    assert statements(world, read) > 6
    assert statements(world, read) == 1


def test_an_applied_change_is_seen_at_once(world):
    with world.session() as session:
        before = current_catalog(session, world.scope)
    first = before.plans[0]
    renamed = replace(before, plans=(replace(first, name="Renamed"), *before.plans[1:]))
    with world.session() as session:
        done = apply_catalog(session, world.scope, renamed, actor="test", now=world.now)
        assert isinstance(done, Applied)
    with world.session() as session:
        after = current_catalog(session, world.scope)
        assert after.plans[0].name == "Renamed"
        assert after == load_catalog(session, world.scope)
