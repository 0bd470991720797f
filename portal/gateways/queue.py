"""Adds jobs for the worker, in the transaction of the business that wants them."""

from __future__ import annotations

from procrastinate import App, SyncPsycopgConnector

from portal.domain.jobs import queue_of


class JobQueue:
    """Knows no task and is never opened: it only borrows connections.

    Its jobs have no queueing lock: two purchases would wait for each other at it.
    """

    def __init__(self) -> None:
        self._app = App(connector=SyncPsycopgConnector())

    def enqueue(self, connection: object, task: str, environment_id: int) -> None:
        """Add a job that is there when `connection` commits."""
        deferrer = self._app.configure_task(
            task, queue=queue_of(environment_id), connection=connection
        )
        deferrer.defer(environment_id=environment_id)
