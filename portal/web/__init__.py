"""The pages: requests in, HTML out; no rule of the business lives here."""

from __future__ import annotations

from flask import Flask

from portal.web import errors, language, logs, pages, requests, security, static_files
from portal.web.views import (
    active,
    addons,
    auth,
    health,
    invoices,
    preferences,
    purchases,
    usage,
    webhooks,
)


def install(app: Flask) -> None:
    """Join the pages to `app`."""
    logs.install(app)
    static_files.install(app)
    requests.install(app)
    language.install(app)
    security.install(app)
    pages.install(app)
    errors.install(app)
    pages_of_the_portal = (
        active, addons, auth, health, invoices, preferences, purchases, usage, webhooks,
    )  # fmt: skip
    for view in pages_of_the_portal:
        app.register_blueprint(view.bp)
