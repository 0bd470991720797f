"""Whether the portal is ready to serve."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from portal.models.base import db
from portal.web.access import open_to_all
from portal.web.wiring import wiring

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@open_to_all
def healthz() -> Response:
    """200 once the database answers; says whether payments go to the Stripe sandbox."""
    db.session.execute(text("select 1"))
    payments = "sandbox" if wiring().settings.uses_sandbox else "stripe"
    return jsonify(status="ok", payments=payments)
