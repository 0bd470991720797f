"""Usage and quota: a meter for every metered feature, and where it comes from."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from portal.domain.access import Permission
from portal.web import htmx
from portal.web.access import requires
from portal.web.receipts import account_meters
from portal.web.requests import state

bp = Blueprint("usage", __name__, url_prefix="/settings/billing/usage")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    context: dict[str, Any] = {"meters": account_meters(), "state": state()}
    return htmx.page("usage/index.html", "usage/_meters.html", **context)
