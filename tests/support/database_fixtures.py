"""Pytest fixtures for databases: list this module in `pytest_plugins` of the top conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import Database, clone, server


@pytest.fixture(scope="session")
def template_database() -> Database:
    """The migrated template: to look at, never to change."""
    here = server()
    return here.database(here.template)


@pytest.fixture
def database() -> Iterator[Database]:
    """A fresh migrated database for one test."""
    with clone() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database() -> Iterator[Database]:
    """A fresh migrated database shared by the tests of one module."""
    with clone() as fresh:
        yield fresh
