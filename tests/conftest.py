"""Fixtures for every test: databases on demand, nothing else."""

pytest_plugins = ["tests.support.database_fixtures"]
