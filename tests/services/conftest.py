"""A world on a fresh database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import Database
from tests.support.world import World


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    world = World(database.app_url)
    yield world
    world.engine.dispose()
