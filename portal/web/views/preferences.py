"""What a visitor chose for their own browser."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from flask import Blueprint, Response, request, url_for

from portal.services.languages import choose_language
from portal.web import cookies, htmx
from portal.web.access import open_to_all
from portal.web.forms.sign_in import safe_next
from portal.web.language import COOKIE, known_locales
from portal.web.pages import THEME, THEMES
from portal.web.requests import database, signed_in

bp = Blueprint("preferences", __name__)
YEAR = timedelta(days=365)


@bp.post("/preferences/theme")
@open_to_all
def theme() -> Response:
    """Light, dark, or as the system says."""
    return _chosen(THEME, THEMES)


@bp.post("/preferences/language")
@open_to_all
def language() -> Response:
    """That of the pages of this browser; of all pages and mails of a member who is signed in."""
    known, chosen, who = known_locales(), request.form.get(COOKIE, ""), signed_in()
    if who and chosen in known:
        choose_language(database(), who.member.actor, chosen)
    return _chosen(COOKIE, known)


def _chosen(name: str, choices: Collection[str]) -> Response:
    """Back to the page, with a cookie of what the form said, if it is one of the choices."""
    response = htmx.go(safe_next(request.form.get("next"), url_for("addons.grid")))
    chosen = request.form.get(name, "")
    if chosen in choices:
        cookies.give(response, name, chosen, YEAR)
    return response
