"""Holds the database server of one test run until the run's main process is gone.

`python -m tests.support.database_keeper KEY PID`; TEST_DATABASE_URL names a server to use
(with the right to create databases and roles), else an embedded one is started.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from alembic import command
from alembic.config import Config

from portal.local.cluster import Cluster
from portal.local.errors import LocalError
from portal.local.roles import connect, make_database, prepare, prepare_given, with_database
from tests.support.database import ROOT, Database, Run, Server, drop


@contextmanager
def _server(run: Run) -> Iterator[Server]:
    template = f"test_{run.key}_template"
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        with connect(given) as admin:
            make_database(admin, template, owner=None)
        prepare_given(with_database(given, template))
        yield Server(given, template, trusted=False)
    else:
        with Cluster(run.folder / "cluster", durable=False) as cluster:
            prepare(cluster.admin_url, template)
            yield Server(cluster.admin_url, template, trusted=True)


def _migrate(database: Database) -> None:
    """Run all migrations, as their own role; a tree that has none yet leaves the template empty."""
    folder = ROOT / "migrations"
    if not (folder / "env.py").exists():
        return
    config = Config(folder / "alembic.ini")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    os.environ["DATABASE_OWNER_URL"] = database.owner_url
    command.upgrade(config, "head")


def _drop_all(run: Run, admin_url: str) -> None:
    with connect(admin_url) as admin:
        found = admin.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"test_{run.key}_",)
        ).fetchall()
    for (name,) in found:
        drop(admin_url, name)


def keep(run: Run, watched: int) -> None:
    """Serve until the process behind the descriptor `watched` has ended."""
    with _server(run) as server:
        try:
            _migrate(server.database(server.template))
            (run.folder / "server.json").write_text(json.dumps(asdict(server)))
            print("ready", flush=True)
            select.select([watched], [], [])
        finally:
            if not server.trusted:  # an embedded one goes as a whole
                _drop_all(run, server.admin_url)


def main() -> int:
    run = Run(sys.argv[1], int(sys.argv[2]))
    watched = os.pidfd_open(run.pid)
    try:
        keep(run, watched)
    except LocalError as reason:
        print(reason, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(run.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
