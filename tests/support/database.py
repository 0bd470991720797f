"""Fresh, migrated PostgreSQL databases for tests: one server and one template a run, many clones.

The server belongs to a keeper process (`database_keeper.py`), which any test process of the
run may start first, and which ends when the run does, however that ends.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psycopg import sql

from portal.local.roles import OWNER, Urls, connect, make_database, urls_of, with_database

ROOT = Path(__file__).resolve().parents[2]
MEMORY, ENOUGH = Path("/dev/shm"), 2 * 1024**3
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """One database and its URLs: the owner's migrates, the app's is under row security."""

    name: str
    admin_url: str
    owner_url: str
    app_url: str


@dataclass(frozen=True, slots=True)
class Run:
    """One pytest run, shared by its workers: `pid` is the process that lives to its end."""

    key: str
    pid: int

    @property
    def folder(self) -> Path:
        return _room() / f"portal-tests-{self.key}"


def _room() -> Path:
    """Memory, where there is enough of it: a database is 400 files, and each test makes them."""
    enough = MEMORY.is_dir() and shutil.disk_usage(MEMORY).total >= ENOUGH
    return MEMORY if enough else Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Server:
    """The run's server: `admin_url` may create databases, `template` is migrated.

    `trusted` tells that it lets in the portal's roles by their names.
    """

    admin_url: str
    template: str
    trusted: bool

    def database(self, name: str) -> Database:
        admin = with_database(self.admin_url, name)
        urls: Urls = urls_of(admin, trusted=self.trusted)
        return Database(name, admin, urls.owner, urls.app)


@cache
def this_run() -> Run:
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if shared:
        return Run(shared[:12], os.getppid())
    return Run(uuid.uuid4().hex[:12], os.getpid())


@cache
def server() -> Server:
    """The run's server, started by whoever asks first; takes 2 to 4 s then, nothing later."""
    run = this_run()
    run.folder.mkdir(mode=0o755, exist_ok=True)
    answer = run.folder / "server.json"
    with (run.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            _start_keeper(run)
    return Server(**json.loads(answer.read_text()))


def _start_keeper(run: Run) -> None:
    """Start the keeper and wait until it says that the template is there.

    Raises RuntimeError with what it wrote when it gives up.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.support.database_keeper", run.key, str(run.pid)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C ends the tests; the keeper sees that and follows
    )
    assert keeper.stdout is not None
    said: list[str] = []
    with keeper.stdout as lines:
        while not said or said[-1] != "ready\n":
            line = lines.readline()
            if not line:
                raise RuntimeError(
                    f"No database for tests (exit {keeper.wait()}):\n{''.join(said)}"
                )
            said.append(line)
    keeper.returncode = 0  # it outlives us on purpose: no warning about that


@contextmanager
def clone(template: str = "") -> Iterator[Database]:
    """A fresh copy of a database, 0.05 s, dropped afterwards; "" is the migrated template."""
    here = server()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{this_run().key}_{worker}_{os.getpid()}_{next(_numbers)}"
    with connect(here.admin_url) as admin:
        # Only its owner may drop it: on a server that is not ours that is the role we came as.
        make_database(admin, name, template or here.template, OWNER if here.trusted else None)
    try:
        yield here.database(name)
    finally:
        drop(here.admin_url, name)


def drop(admin_url: str, name: str) -> None:
    """Drop a database, and whoever is still connected to it."""
    command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with connect(admin_url) as admin:
        admin.execute(command)
