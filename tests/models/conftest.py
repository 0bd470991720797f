"""Two environments with a row in every table, the same ids in both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.twins import Twins, seed
from tests.support.database import clone


@pytest.fixture(scope="package")
def twins(demo_template: str) -> Iterator[Twins]:
    with clone(demo_template) as database:
        found = seed(database)
        yield found
        found.dispose()
