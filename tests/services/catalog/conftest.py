"""A shop whose catalog is empty, and one that is open for business."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.catalog.bad_files import SOUND
from tests.services.catalog.shop import Shop, open_shop
from tests.support.database import Database


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    with open_shop(database) as shop:
        yield shop


@pytest.fixture
def open_for_business(shop: Shop) -> Shop:
    """The sound catalog, with Northwind on Growth and holding the `sso` add-on."""
    shop.apply(SOUND)
    shop.subscribe("Northwind", "growth")
    shop.sell("Northwind", "sso")
    return shop
