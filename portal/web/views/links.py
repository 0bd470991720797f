"""A sign-in link of the host: a page with one button, so that a prefetch does not spend it."""

from __future__ import annotations

from flask import Blueprint, Response, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user

from portal.queries.links import find_link
from portal.queries.members import find_member
from portal.services.links import follow
from portal.services.sign_in import Origin, digest_of
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.forms.sign_in import safe_next
from portal.web.requests import SignedIn, database, scope, wall

bp = Blueprint("links", __name__, url_prefix="/sign-in/link")


@bp.get("/<written>")
@open_to_all
def show(written: str) -> Response:
    return _page(written)


@bp.post("/<written>")
@open_to_all
def use(written: str) -> ResponseReturnValue:
    origin = Origin(request.remote_addr or "", request.user_agent.string)
    followed = follow(database(), scope(), written, origin, wall())
    member = followed and find_member(database(), scope(), digest_of(followed.sid), wall())
    if not followed or not member:
        return _page(written)
    session.clear()
    login_user(SignedIn(followed.sid, member))
    return htmx.go(safe_next(followed.target, url_for("addons.grid")))


def _page(written: str) -> Response:
    link = find_link(database(), scope(), written, wall())
    return htmx.page(
        "auth/link.html", "auth/_link.html", 200 if link else 410, link=link, written=written
    )
