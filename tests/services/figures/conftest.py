"""A stall for each test, on a database that the module shares."""

from __future__ import annotations

import pytest

from portal.gateways.fake_payments import FakePayments
from tests.services.figures.stall import Stall
from tests.support.world import APRIL_11, World


@pytest.fixture
def stall(shop: World) -> Stall:
    shop.now, shop.gateway = APRIL_11, FakePayments()
    return Stall(shop)
