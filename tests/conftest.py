"""Fixtures for every test: databases and worlds on demand, nothing else."""

pytest_plugins = [
    "tests.support.savings",
    "tests.support.database_fixtures",
    "tests.support.world_fixtures",
]
