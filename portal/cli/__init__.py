"""Commands of `flask`: what an operator does from a terminal."""

from __future__ import annotations

from flask import Flask

from portal.cli import audit, billing, clock, demo, keys, staff, usage, webhooks
from portal.cli.catalog import catalog_group
from portal.cli.opening import Store, now, opened


def install(app: Flask) -> None:
    """Add the command groups; each runs in the environment that the settings name."""
    catalog = catalog_group(Store(opened, now))
    groups = (
        audit.group, billing.group, catalog, clock.group, demo.group, keys.group, staff.group,
        usage.group, webhooks.group,
    )  # fmt: skip
    for group in groups:
        app.cli.add_command(group)
