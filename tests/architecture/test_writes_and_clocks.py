"""Who writes and who reads the clock: services and the factory, nobody else."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import PRODUCT, Source, dotted

WRITES = {"commit", "flush", "add", "add_all", "merge", "bulk_save_objects", "delete"}
STATEMENTS = {"insert", "update", "delete"}
SESSIONS = {"session", "database()", "db.session", "db.session()"}
MAY_ROLL_BACK = {"portal/web/errors.py", "portal/api/problems.py", "portal/cli/opening.py"}
"""A failed request and a finished command let go of what they hold."""

CLOCKS = {
    *(f"datetime.{name}" for name in ("now", "utcnow", "today", "datetime.now")),
    *("date.today", "time.time", "time.time_ns", "time.localtime", "func.now", "func.current_date"),
}
MAY_READ_THE_CLOCK = {
    "portal/factory.py": {"datetime.now"},
    # Ages of payments at the processor are asked for by its own clock; tests pass another.
    "portal/gateways/stripe_payments.py": {"time.time"},
    "portal/gateways/fake_payments.py": {"time.time"},
    # created_at, where nothing is decided by it, is the database's.
    "portal/models/base.py": {"func.now"},
}


def writes(source: Source) -> set[str]:
    """What it does to a session, and statements that change rows."""
    found = set()
    for call in source.calls():
        name = dotted(call.func)
        owner, _, method = name.rpartition(".")
        if owner in SESSIONS and method in WRITES | {"rollback"}:
            found.add(method)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found |= {alias.name for alias in node.names if alias.name in STATEMENTS}
    if source.name in MAY_ROLL_BACK:
        found.discard("rollback")
    return found


def clocks(source: Source) -> set[str]:
    found = {
        dotted(node) for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)
    } & CLOCKS
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found |= {"time.time" for alias in node.names if alias.name in ("time", "time_ns")}
    return found


def in_services(source: Source) -> bool:
    return source.name.startswith("portal/services/")


@pytest.mark.parametrize("source", [s for s in PRODUCT if not in_services(s)], ids=lambda s: s.name)
def test_only_services_write(source):
    assert writes(source) == set()


@pytest.mark.parametrize("source", PRODUCT, ids=lambda s: s.name)
def test_only_the_factory_reads_the_clock(source):
    assert clocks(source) == MAY_READ_THE_CLOCK.get(source.name, set())


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("database().commit()", {"commit"}),
        ("session.add(row)", {"add"}),
        ("db.session.rollback()", {"rollback"}),
        ("from sqlalchemy.dialects.postgresql import insert", {"insert"}),
        ("from sqlalchemy import select, update", {"update"}),
        ("names.add(name); response.delete()", set()),
    ],
)
def test_a_write_is_found(code, found):
    assert writes(Source("portal/web/views/bad.py", code)) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("datetime.now(UTC)", {"datetime.now"}),
        ("default = datetime.utcnow", {"datetime.utcnow"}),
        ("time.time()", {"time.time"}),
        ("from time import time", {"time.time"}),
        ("select(func.now())", {"func.now"}),
        ("time.sleep(1); state.now", set()),
    ],
)
def test_a_clock_is_found(code, found):
    assert clocks(Source("portal/services/bad.py", code)) == found
