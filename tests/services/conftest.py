"""One world's till, and somebody without a card."""

from __future__ import annotations

import pytest

from portal.domain.access import Actor
from tests.services.beyond import Meterage
from tests.services.crediting import Desk
from tests.services.paying import Till
from tests.support.world import World


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


@pytest.fixture
def desk(world: World, till: Till) -> Desk:
    return Desk(world, till)


@pytest.fixture
def buyer(world: World) -> Actor:
    return world.account(card=None)


@pytest.fixture
def meterage(world: World) -> Meterage:
    return Meterage(world)
