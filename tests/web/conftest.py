"""The app on a fresh database, and a client that reads every reply as a browser would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from portal.factory import create_app
from portal.models.base import db
from portal.settings import Settings
from tests.services.hearing import Office
from tests.support.database import Database
from tests.support.identity_provider import IdentityProvider
from tests.support.world import World
from tests.web.looking import Looking
from tests.web.providing import Traveller
from tests.web.reading import Visitor
from tests.web.staffing import AtDesk


def settings_for(database: Database, **changes: object) -> Settings:
    given = {
        "database_url": database.app_url,
        "secret_key": "a secret for tests that is long enough",
        "stripe_secret_key": "sk_test_nothing",
        "stripe_webhook_secret": "whsec_test",
        "stripe_api_base": "http://127.0.0.1:9",
        "support_email": "help@portal.test",
    }
    return Settings(**(given | changes))


@contextmanager
def app_where(world: World, database: Database, **changes: object) -> Iterator[Flask]:
    """The app on a database, by these settings."""
    app = create_app(settings_for(database, **changes), world.gateway, lambda: world.wall)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(world: World, world_database: Database) -> Iterator[Flask]:
    with app_where(world, world_database) as app:
        app.testing = True
        yield app


@pytest.fixture
def visit(app: Flask) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app.test_client())


@pytest.fixture
def desk(world, visit) -> AtDesk:
    """Somebody of the staff, signed in."""
    return AtDesk(world, visit).set_up()


@pytest.fixture
def office(world) -> Office:
    """Two endpoints: 1 is told of purchases, 2 of invoices; one message each, 2 and 1, not sent."""
    office = Office(world)
    office.add("purchase.settled")
    office.add("invoice.issued", url="https://other.test/in")
    world.buy(world.account(), "salesforce")
    return office


@pytest.fixture
def provider(world: World) -> Iterator[IdentityProvider]:
    provider = IdentityProvider(lambda: world.now.timestamp())
    yield provider
    provider.stop()


@pytest.fixture
def traveller(
    world: World, world_database: Database, provider: IdentityProvider
) -> Iterator[Traveller]:
    """Somebody at a portal that knows a provider."""
    settings = settings_for(world_database, **provider.settings())
    app = create_app(settings, world.gateway, lambda: world.wall)
    yield Traveller(world, app, Visitor(app.test_client()), provider)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def on(world, visit) -> Looking:
    """A view of an account that has bought something."""
    actor = world.account()
    world.buy(actor, "salesforce")
    look = Looking(AtDesk(world, visit).set_up(), actor)
    look.start()
    look.get()
    return look
