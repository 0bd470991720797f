"""What is measured on: a fresh database on its own server, the demo catalog, the app."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from portal.factory import create_app
from portal.local.cluster import Cluster
from portal.local.roles import connect, prepare
from portal.settings import Settings
from tests.support.world import PASSWORD, ROOT, World


@dataclass(frozen=True, slots=True)
class Place:
    """urls: SQLAlchemy URLs of the same database, as the app and as its owner."""

    world: World
    app: Flask
    app_url: str
    owner_url: str

    def connection(self) -> psycopg.Connection[tuple[object, ...]]:
        """As the app, seeing the environment for as long as it is open."""
        opened = connect(self.app_url)
        scope = str(self.world.scope.environment_id)
        opened.execute("SELECT set_config('app.scope', %s, false)", (scope,))
        return opened

    def signed_in(self, email: str) -> FlaskClient:
        client = self.app.test_client()
        reply = client.post("/sign-in", data={"email": email, "password": PASSWORD})
        if reply.status_code != 303:
            raise RuntimeError(f"cannot sign in: {reply.status}")
        return client


@contextmanager
def place() -> Iterator[Place]:
    """An embedded server in a temporary folder, with fsync on, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103  (as root the server runs as somebody else)
        with Cluster(Path(folder) / "data") as cluster:
            urls = prepare(cluster.admin_url, "bench")
            _migrate(urls.owner)
            World(urls.app).seed()
            world = World(urls.app)
            yield Place(world, _app(world, urls.app), urls.app, urls.owner)
            world.engine.dispose()


def _migrate(owner_url: str) -> None:
    config = Config(ROOT / "migrations" / "alembic.ini")
    os.environ["DATABASE_OWNER_URL"] = owner_url
    command.upgrade(config, "head")


def _app(world: World, url: str) -> Flask:
    settings = Settings(
        database_url=url,
        secret_key="k" * 32,
        stripe_secret_key="sk_test_bench",  # noqa: S106  (no such account)
        stripe_webhook_secret="whsec_bench",  # noqa: S106
    )
    app = create_app(settings, world.gateway, lambda: world.wall)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
