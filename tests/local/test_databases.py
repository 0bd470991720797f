"""The databases that tests get: fresh, apart from each other, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.local.cluster import Cluster
from portal.local.roles import connect, with_database
from tests.local.processes import alive, gone_within
from tests.support import database_keeper
from tests.support.database import ROOT, Database, clone, server

INNER = """
import os, time
from tests.support.database import clone, this_run

def test_holds_a_database(request):
    with clone() as database:
        print(f"HELD {this_run().folder}", flush=True)
        time.sleep(float(os.environ.get("HOLD", "0")))
"""
COMMAND = (sys.executable, "-m", "pytest", "-s", "-p", "no:xdist", "-c", "/dev/null")


def names(admin_url: str) -> set[str]:
    with connect(admin_url) as admin:
        return {name for (name,) in admin.execute("SELECT datname FROM pg_database")}


def test_each_clone_is_fresh_and_dropped_with_whoever_is_connected() -> None:
    with clone() as first, clone() as second:
        with connect(first.owner_url) as owner:
            owner.execute("CREATE TABLE only_here ()")
        with connect(second.owner_url) as owner:
            assert owner.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
        assert {first.name, second.name} <= names(server().admin_url)
        still_open = connect(first.app_url)
    with still_open:
        assert not {first.name, second.name} & names(server().admin_url)


def test_a_clone_has_the_templates_schema() -> None:
    here = server()
    tables = "SELECT array_agg(tablename ORDER BY 1) FROM pg_tables WHERE schemaname = 'public'"
    with clone() as database, connect(database.owner_url) as owner:
        mine = owner.execute(tables).fetchone()
    with connect(with_database(here.admin_url, here.template)) as admin:
        assert admin.execute(tables).fetchone() == mine


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    file = tmp_path / "test_inner.py"
    file.write_text(INNER)
    return file


def plain_environment(**more: str) -> dict[str, str]:
    """As for a run of its own, not one of this run's workers."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TEST_DATABASE"))}
    return ours | {"PYTHONPATH": str(ROOT)} | more


def test_a_run_that_is_killed_leaves_no_server(inner: Path) -> None:
    command = [*COMMAND, str(inner)]
    with subprocess.Popen(
        command, cwd=ROOT, env=plain_environment(HOLD="60"), stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        held = next(line for line in run.stdout if "HELD" in line)
        folder = Path(held.split()[-1])
        (pid_file,) = folder.glob("cluster/pg*/data/postmaster.pid")
        pid = int(pid_file.read_text().split()[0])
        assert alive(pid)
        run.send_signal(signal.SIGKILL)
    assert gone_within(5, pid)
    assert is_gone(folder)


def is_gone(folder: Path) -> bool:
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not folder.exists()


def test_a_given_server_is_used_and_left_as_it_was(inner: Path, kept: Path) -> None:
    with Cluster(kept, durable=False) as given:
        before = names(given.admin_url)
        environment = plain_environment(TEST_DATABASE_URL=given.admin_url)
        command = [*COMMAND, str(inner)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert is_gone(Path(next(x for x in done.stdout.split() if "portal-tests-" in x)))
        assert names(given.admin_url) == before


def test_a_failing_migration_fails_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "alembic.ini").write_text("[alembic]\n")
    (tmp_path / "migrations" / "env.py").write_text("raise ValueError('a reason to read')")
    monkeypatch.setattr(database_keeper, "ROOT", tmp_path)
    monkeypatch.setenv("DATABASE_OWNER_URL", "")
    with pytest.raises(ValueError, match="a reason to read"):
        database_keeper._migrate(Database("x", "", "", ""))
