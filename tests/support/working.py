"""What a worker would do with the jobs of one kind, done at once."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import text

from portal.jobs.tasks import jobs_of
from tests.support.world import World

TAKE = "delete from procrastinate_jobs where task_name = :task and status = 'todo' returning args"


def said(world: World, task: str) -> list[dict[str, object]]:
    """The arguments of the jobs that wait, oldest first."""
    asked = "select args from procrastinate_jobs where task_name = :task order by id"
    with world.session() as session:
        return list(session.scalars(text(asked), {"task": task}))


def work(app: Flask, world: World, task: str) -> None:
    engine = jobs_of(app, app.extensions["jobs"], world.scope.environment_id)
    with world.session() as session:
        taken = list(session.scalars(text(TAKE), {"task": task}))
        session.commit()
    for args in taken:
        engine.tasks[task](**args)
