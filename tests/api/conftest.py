"""The app with a key of the host application, and a caller that checks every reply."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from portal.domain.keys import Access
from portal.factory import create_app
from portal.models.base import db
from portal.services import keys
from tests.api.calling import Caller
from tests.support.database import Database, clone
from tests.support.world import World
from tests.web.conftest import settings_for


def serve(world: World, database: Database, **changes: object) -> Flask:
    settings = settings_for(database, **({"api_rate_per_minute": 1_000_000} | changes))
    app = create_app(settings, world.gateway, lambda: world.wall)
    app.testing = True
    return app


def close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def new_key(world: World, access: Access = Access.WRITE, *, opens_sessions: bool = False) -> str:
    with world.session() as session:
        given = "host", access, world.wall
        return keys.create(session, world.scope, *given, opens_sessions=opens_sessions).written


@pytest.fixture(scope="module")
def module_stage(demo_template: str) -> Iterator[tuple[World, str]]:
    """A world of the module's own, and the address at which it is served."""
    with clone(demo_template) as database:
        world = World(database.app_url)
        app = serve(world, database)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield world, f"http://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join()
        server.server_close()
        close(app)
        world.engine.dispose()


@pytest.fixture
def app(world: World, world_database: Database) -> Iterator[Flask]:
    app = serve(world, world_database)
    yield app
    close(app)


@pytest.fixture
def host(world: World, app: Flask) -> Caller:
    """The host application, with a key that may do everything."""
    return Caller(app.test_client(), new_key(world, opens_sessions=True))
