"""`flask jobs work`: the worker, a process of its own, any number of them."""

from __future__ import annotations

import click
import structlog
from flask import Flask
from flask.cli import AppGroup

from portal.domain.jobs import queue_of
from portal.jobs.means import Means, opened
from portal.jobs.tasks import jobs_of

log = structlog.get_logger()
CONCURRENCY = 2
"""So that mail goes out while a payment provider keeps another job waiting."""
PATIENCE_S = 10.0
"""How long a job may take to end once the worker is asked to stop."""


def install(app: Flask, means: Means) -> None:
    """Add the command that works off the jobs of the environment in the settings."""
    app.extensions["jobs"] = means
    group = AppGroup("jobs", help="Background work: mail, reconcile, reminders.")

    @group.command("work", with_appcontext=False)
    def work_command() -> None:
        """Work off jobs and schedules until stopped; the running job ends first."""
        work(app, means)

    app.cli.add_command(group)


def work(app: Flask, means: Means) -> None:
    """Stay until stopped; what is running then is finished."""
    with opened(app, means) as (_session, scope):
        environment_id = scope.environment_id
    if means.postman is None:
        log.warning("mail_waits", reason="neither SMTP_URL nor MAIL_FOLDER is set")
    click.echo(f"working off {queue_of(environment_id)}")
    jobs_of(app, means, environment_id).run_worker(
        queues=[queue_of(environment_id)],
        concurrency=CONCURRENCY,
        delete_jobs="successful",
        shutdown_graceful_timeout=PATIENCE_S,
    )
