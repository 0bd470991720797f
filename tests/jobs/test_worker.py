"""The worker as a process: it sends what was stored, ends cleanly, and survives being killed."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest
from flask import Flask
from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import select, text, update

from portal.domain.jobs import MAIL_RESET_LINK, SEND_MAIL, queue_of
from portal.domain.sign_in import Origin
from portal.factory import create_app
from portal.gateways.fake_payments import FakePayments
from portal.gateways.queue import JobQueue
from portal.jobs.tasks import jobs_of
from portal.models.base import db
from portal.models.mails import MailRow
from portal.models.usage import UsageIdRow
from portal.services import resetting
from portal.services.queueing import QUEUE, enqueue
from tests.jobs.workers import Worker, jobs, tell, wait_for
from tests.services.using import report, used
from tests.support.notices import BOUGHT, CHANGED
from tests.web.conftest import settings_for


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def app(world_database) -> Iterator[Flask]:
    app = create_app(settings_for(world_database), FakePayments())
    yield app
    with app.app_context():
        db.engine.dispose()


def statuses(world) -> list[str]:
    with world.session() as session:
        return list(session.scalars(select(MailRow.status).order_by(MailRow.id)))


def test_what_is_stored_is_sent_and_a_signal_ends_it(world, world_database, log, tmp_path):
    folder = tmp_path / "mail"
    owner = world.account()
    tell(world, owner.account_id, BOUGHT)
    with Worker(world_database, log, MAIL_FOLDER=str(folder)) as worker:
        wait_for(lambda: statuses(world) == ["sent"])
        tell(world, owner.account_id, CHANGED)  # heard of at once, not when the minute is over
        wait_for(lambda: statuses(world) == ["sent", "sent"])
        assert worker.ends(signal.SIGINT) == 0
        assert "Traceback" not in worker.said()
    files = sorted(folder.glob("*.eml"))
    assert len(files) == 2
    assert b"Subject: You bought Salesforce connector and 1 more" in files[0].read_bytes()
    assert jobs(world, "doing") == []


def test_without_a_way_for_mail_it_waits_and_the_log_says_so(world, world_database, log):
    tell(world, world.account().account_id, BOUGHT)
    with Worker(world_database, log) as worker:
        wait_for(lambda: jobs(world, "todo") == [] and "mail_waits" in worker.said())
        assert worker.ends(signal.SIGTERM) == 0
        assert worker.said().count("mail_waits") == 1
    assert statuses(world) == ["queued"]


class Deaf:
    """A server that takes a connection and never says a word."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.called = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.door.getsockname()[1]}"

    def _listen(self) -> None:
        connection, _ = self.door.accept()
        self.called.set()
        with connection:
            connection.recv(1)

    def close(self) -> None:
        self._thread.join(10)
        self.door.close()


def test_a_worker_killed_in_the_middle_leaves_its_mail_and_job_to_the_next(
    world, world_database, log, tmp_path
):
    owner = world.account()
    tell(world, owner.account_id, BOUGHT)
    server = Deaf()
    with Worker(world_database, log, SMTP_URL=server.url, MAIL_FROM="a@example.com") as first:
        assert server.called.wait(30)
        first.process.kill()
        first.process.wait()
    server.close()
    assert statuses(world) == ["queued"]
    assert {SEND_MAIL, "send_waiting_mail"} & set(jobs(world, "doing"))
    let_time_pass(world)
    ask_for_stalled_jobs(world)
    folder = tmp_path / "mail"
    with Worker(world_database, log, MAIL_FOLDER=str(folder)) as second:
        wait_for(lambda: statuses(world) == ["sent"] and not jobs(world, "doing"))
        assert second.ends(signal.SIGINT) == 0
        assert "mail_sent_again" in second.said()
    assert len(list(folder.glob("*.eml"))) == 1


def let_time_pass(world) -> None:
    """The dead worker's heartbeat and the mail's try are two minutes old."""
    moved = update(MailRow).values(tried_at=MailRow.tried_at - timedelta(minutes=2))
    heartbeat = text("update procrastinate_workers set last_heartbeat = now() - interval '2 min'")
    world.change(moved, heartbeat)


def ask_for_stalled_jobs(world) -> None:
    """What the schedule does each minute."""
    engine = App(connector=SyncPsycopgConnector())
    with world.session() as session:
        connection = session.connection().connection.driver_connection
        queue = queue_of(world.scope.environment_id)
        engine.configure_task("retry_stalled", queue=queue, connection=connection).defer(
            timestamp=0
        )
        session.commit()


def test_every_name_that_is_enqueued_is_a_task_and_all_keep_to_their_queue(app):
    queue = queue_of(7)
    tasks = {
        t for t in jobs_of(app, app.extensions["jobs"], 7).tasks.values() if "builtin" not in t.name
    }
    named = {SEND_MAIL, MAIL_RESET_LINK, "reconcile", "remind", "forget_usage_ids", "retry_stalled"}
    assert {t.name for t in tasks} >= named
    assert {t.queue for t in tasks} == {queue}


def test_a_job_is_told_its_environment_or_the_time_and_nothing_of_anybody(world, app):
    """Row security does not reach the job engine's tables: so nothing is in them to be seen."""
    tasks = jobs_of(app, app.extensions["jobs"], 7).tasks.values()
    told = {name for t in tasks if "builtin" not in t.name for name in signature(t.func).parameters}
    assert told == {"environment_id", "timestamp", "context"}
    assert list(signature(enqueue).parameters) == ["session", "scope", "task"]
    assert list(signature(JobQueue().enqueue).parameters) == [
        "connection",
        "task",
        "environment_id",
    ]
    tell(world, world.account().account_id, BOUGHT)
    with world.session() as session:
        session.info[QUEUE] = JobQueue()
        typed, origin = "owner@account1.test", Origin("192.0.2.7", "Browser/1.0")
        assert resetting.ask(session, world.scope, typed, origin, world.wall) is None
        stored = session.execute(text("select args, lock, queueing_lock from procrastinate_jobs"))
        assert [tuple(row) for row in stored] == [
            ({"environment_id": world.scope.environment_id}, None, None)
        ] * 2


def test_ids_of_usage_events_are_kept_for_35_days(world, world_database):
    app = create_app(settings_for(world_database), FakePayments(), lambda: world.wall)
    engine = jobs_of(app, app.extensions["jobs"], world.scope.environment_id)
    report(world, world.account(), used("messages", 5, world.now))
    left = []
    for span in ({"days": 35}, {"seconds": 1}):
        world.pass_time(**span)
        engine.tasks["forget_usage_ids"](timestamp=0)
        left.append(world.rows(UsageIdRow))
    with app.app_context():
        db.engine.dispose()
    assert left == [1, 0]


def test_failed_jobs_are_kept_for_a_week(world, app):
    engine = jobs_of(app, app.extensions["jobs"], world.scope.environment_id)
    add = (
        "with job as (insert into procrastinate_jobs (queue_name, task_name, status)"
        " values (:queue, :task, 'failed') returning id)"
        " insert into procrastinate_events (job_id, type, at)"
        " select id, 'failed', now() - make_interval(days => :days) from job"
    )
    mine = queue_of(world.scope.environment_id)
    for queue, task, days in ((mine, "old", 8), (mine, "new", 6), ("environment-0", "theirs", 8)):
        with world.session() as session:
            session.execute(text(add), {"queue": queue, "task": task, "days": days})
            session.commit()

    async def forget() -> None:
        async with engine.open_async():
            await engine.tasks["forget_failed"](timestamp=0)

    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever runs in this one
        thread.submit(asyncio.run, forget()).result()
    assert jobs(world, "failed") == ["new", "theirs"]
