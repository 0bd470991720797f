"""Pytest fixtures for worlds: the demo catalog is applied once, every test gets its own copy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import Database, clone
from tests.support.world import World


@pytest.fixture(scope="session")
def demo_template() -> Iterator[str]:
    """The name of a database that holds the environment and the demo catalog."""
    with clone() as base:
        World(base.app_url).seed()
        yield base.name


@pytest.fixture
def world_database(demo_template: str) -> Iterator[Database]:
    with clone(demo_template) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def shop(demo_template: str) -> Iterator[World]:
    """One database for the module; every test takes accounts of its own."""
    with clone(demo_template) as database:
        world = World(database.app_url)
        yield world
        world.engine.dispose()


@pytest.fixture
def world(world_database: Database) -> Iterator[World]:
    """A world on a fresh database of its own."""
    world = World(world_database.app_url)
    yield world
    world.engine.dispose()
