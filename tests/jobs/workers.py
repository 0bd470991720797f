"""Runs `flask jobs work` as a process of its own, and looks at its jobs from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sqlalchemy import text

from portal.domain.notices import Notice
from portal.gateways.queue import JobQueue
from portal.services.mailing import post
from portal.services.queueing import QUEUE
from tests.support.database import ROOT, Database
from tests.support.world import World

PATIENCE_S = 90.0
COMMAND = (sys.executable, "-m", "flask", "--app", "app", "jobs", "work")
OURS = ("DATABASE_", "STRIPE_", "PORTAL_", "SMTP_", "MAIL_", "PUBLIC_URL", "SECRET_KEY", "TENANT_")


class Worker:
    """One worker: use it in `with`, which kills it if it still runs."""

    def __init__(self, database: Database, log: Path, **settings: str) -> None:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        told = {
            "DATABASE_URL": database.app_url,
            "SECRET_KEY": "a secret for tests that is long enough",
            "STRIPE_SECRET_KEY": "sk_test_nothing",
            "STRIPE_WEBHOOK_SECRET": "whsec_test",
            "STRIPE_API_BASE": "http://127.0.0.1:9",
        }
        self.log = log
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                COMMAND, cwd=ROOT, env=plain | told | settings, stdout=said, stderr=said
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return self.log.read_text()

    def ends(self, signum: signal.Signals) -> int:
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def tell(world: World, account_id: int, notice: Notice) -> None:
    """Store a mail and its job, as a service does."""
    with world.session() as session:
        session.info[QUEUE] = JobQueue()
        post(session, world.scope, account_id, notice)
        session.commit()


def jobs(world: World, status: str) -> list[str]:
    """Names of the jobs in a status."""
    asked = "select task_name from procrastinate_jobs where status::text = :status order by id"
    with world.session() as session:
        return list(session.scalars(text(asked), {"status": status}))
