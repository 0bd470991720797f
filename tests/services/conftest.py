"""One world's till, and somebody without a card."""

from __future__ import annotations

import pytest

from portal.domain.access import Actor
from portal.gateways.fake_payments import FakePayments
from tests.services.approving import Glass, behind_glass
from tests.services.beyond import Meterage
from tests.services.crediting import Desk
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.services.repricing import Operator
from tests.support.world import APRIL_11, World


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


@pytest.fixture
def desk(world: World, till: Till) -> Desk:
    return Desk(world, till)


@pytest.fixture
def glass(world: World) -> Glass:
    return behind_glass(world)


@pytest.fixture
def buyer(world: World) -> Actor:
    return world.account(card=None)


@pytest.fixture
def meterage(world: World) -> Meterage:
    return Meterage(world)


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world, {})


@pytest.fixture
def actor(meterage: Meterage) -> Actor:
    """On Business from 1 April, where one more message is $0.0008; it is 11 April."""
    found = meterage.account()
    meterage.at("2026-04-11")
    return found


@pytest.fixture
def dearer(actor: Actor, operator: Operator) -> Actor:
    """One more message is $0.0008 now and $0.0016 from 1 June on."""
    operator.sell(business_messages_usd="0.0016")
    operator.announce("business_messages_usd")
    return actor


@pytest.fixture
def recharge(shop: World) -> Recharge:
    """Auto-recharge of an account, from 11 April on."""
    shop.now, shop.gateway = APRIL_11, FakePayments()
    return Recharge(shop)
