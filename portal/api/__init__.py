"""JSON for the host application: one key, no cookies, every failure a problem document."""

from __future__ import annotations

from flask import Flask, Response

from portal.api import openapi, problems
from portal.api.operations import bp
from portal.api.requests import is_for_the_api, request_id
from portal.api.views import (
    accounts,
    add_ons,
    entitlements,
    portal_sessions,
    quotes,
    usage_events,
)
from portal.domain.pace import Pace

__all__ = [
    "accounts",
    "add_ons",
    "bp",
    "entitlements",
    "install",
    "openapi",
    "portal_sessions",
    "quotes",
    "usage_events",
]
"""Modules are imported for the operations that they add."""


def install(app: Flask, per_minute: int) -> None:
    """Join the operations to `app`. per_minute: requests that one key may make."""
    app.extensions["api_pace"] = Pace(per_minute)
    problems.install(app)
    app.register_blueprint(bp)
    app.after_request(_name)


def _name(response: Response) -> Response:
    if is_for_the_api():
        response.headers["Request-Id"] = request_id()
    return response
