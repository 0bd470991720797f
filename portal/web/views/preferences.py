"""What a visitor chose for their own browser."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.forms.sign_in import safe_next
from portal.web.pages import THEMES
from portal.web.wiring import wiring

bp = Blueprint("preferences", __name__)
YEAR_S = 31_536_000


@bp.post("/preferences/theme")
@open_to_all
def theme() -> Response:
    """Light, dark, or as the system says."""
    response = htmx.go(safe_next(request.form.get("next"), url_for("addons.grid")))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        secure = wiring().settings.is_https
        response.set_cookie(
            "theme", chosen, max_age=YEAR_S, httponly=True, samesite="Lax", secure=secure
        )
    return response
