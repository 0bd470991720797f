"""A sign-in link of the host: a page with one button, so that a prefetch does not spend it."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue

from portal.queries.links import find_link
from portal.services.links import follow
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.entering import go_on, origin
from portal.web.forms.sign_in import safe_next
from portal.web.requests import database, scope, wall

bp = Blueprint("links", __name__, url_prefix="/sign-in/link")


@bp.get("/<written>")
@open_to_all
def show(written: str) -> Response:
    return _page(written)


@bp.post("/<written>")
@open_to_all
def use(written: str) -> ResponseReturnValue:
    followed = follow(database(), scope(), written, origin(), wall())
    if followed is None:
        return _page(written)
    return go_on(followed.outcome, safe_next(followed.target, url_for("addons.grid")))


def _page(written: str) -> Response:
    link = find_link(database(), scope(), written, wall())
    return htmx.page(
        "auth/link.html", "auth/_link.html", 200 if link else 410, link=link, written=written
    )
