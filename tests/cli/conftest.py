"""The commands of `flask`, on a world; those of `flask catalog` on a shop of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from portal.cli.catalog import catalog_group
from portal.cli.opening import Store
from portal.factory import create_app
from portal.models.base import db
from tests.services.catalog.shop import Shop, open_shop
from tests.support.database import Database
from tests.support.world import World
from tests.web.conftest import settings_for

Run = Callable[..., Result]


@pytest.fixture
def commands(world: World, world_database: Database) -> Run:
    """Runs `flask …`; nothing stays connected."""
    app = create_app(settings_for(world_database), world.gateway, lambda: world.wall)

    def run(*words: str) -> Result:
        done = app.test_cli_runner().invoke(args=list(words))
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        return done

    return run


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    with open_shop(database) as shop:
        yield shop


@pytest.fixture(scope="module")
def empty_shop(module_database: Database) -> Iterator[Shop]:
    """A shop that no test of the module fills."""
    with open_shop(module_database) as shop:
        yield shop


@pytest.fixture
def run(shop: Shop) -> Run:
    return command_of(shop)


def command_of(shop: Shop) -> Run:
    """Runs `catalog …` in the working folder, where the test has put its file."""
    group = catalog_group(Store(shop.opened, shop.now))
    return lambda *words: CliRunner().invoke(group, list(words), catch_exceptions=False)
