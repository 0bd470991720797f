"""Staff sign in by an identity provider of their own: another client, other addresses."""

from __future__ import annotations

from flask import Blueprint, Response, request, session, url_for

from portal.domain.identities import Errand
from portal.services import staff_identities
from portal.services.sign_in import CodeAsked
from portal.services.throttling import Refused
from portal.web import htmx, trips
from portal.web.access import open_to_all
from portal.web.entering import origin
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import enter
from portal.web.trips import Route, Stop
from portal.web.views.staff import CHALLENGE, TARGET, staff_target

bp = Blueprint("staff_oidc", __name__, url_prefix=f"{STAFF_PREFIX}/sign-in/oidc")


@bp.post("")
@open_to_all
def begin() -> Response:
    route = _route()
    session[TARGET] = request.form.get("next")
    return trips.set_out(route)


@bp.get("/return")
@open_to_all
def come_back() -> Response:
    route = _route()
    found = trips.come_back(route)
    if isinstance(found, Response):
        return found
    outcome = staff_identities.enter(database(), scope(), found, origin(), wall())
    if isinstance(outcome, Refused):
        return trips.refused(route)
    if isinstance(outcome, CodeAsked):
        session[CHALLENGE] = outcome.challenge
        return htmx.go(url_for("staff.code"))
    return enter(htmx.go(staff_target()), outcome.sid)


def _route() -> Route:
    return Route(trips.provider_of_staff(), Errand.STAFF, "staff_oidc.come_back", _show)


def _show(stop: Stop) -> Response:
    return htmx.page("staff/provider.html", "staff/_provider.html", stop.status, stop=stop)
