"""Jobs for the worker, added in the transaction of the business that wants them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.mails import Queue

QUEUE = "queue"
"""Where a session keeps the Queue that its jobs go into; without one, the work waits a minute."""


def enqueue(session: Session, scope: Scope, task: str) -> None:
    """Let the worker do `task` once the session's transaction commits.

    It is told the environment and nothing else: rows hold the rest, under row security.
    """
    queue: Queue | None = session.info.get(QUEUE)
    if queue is not None:
        connection = session.connection().connection.driver_connection
        queue.enqueue(connection, task, scope.environment_id)
