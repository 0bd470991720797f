"""Staff sign in by an identity provider of their own: another client, other addresses."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, request, session, url_for
from flask_babel import gettext as _

from portal.domain.identities import Errand
from portal.services import staff_identities
from portal.services.sign_in import CodeAsked
from portal.services.staff_sign_in import ABSOLUTE_LIFE
from portal.services.throttling import Refused
from portal.web import htmx, trips
from portal.web.access import open_to_all
from portal.web.entering import origin
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import enter, staff, staff_only, staff_signed_in
from portal.web.trips import Route, Stop
from portal.web.views.staff import CHALLENGE, TARGET, staff_target

bp = Blueprint("staff_oidc", __name__, url_prefix=f"{STAFF_PREFIX}/sign-in/oidc")


@bp.post("")
@open_to_all
def begin() -> Response:
    route = _route()
    session[TARGET] = request.form.get("next")
    return trips.set_out(route)


@bp.post("/proof")
@staff_only
def prove() -> Response:
    """Raises NotFound without a provider."""
    route = _proof()
    session[TARGET] = request.form.get("next")
    return trips.set_out(route)


@bp.get("/return")
@open_to_all
def come_back() -> Response:
    if staff_signed_in() is not None and trips.is_on(Errand.PROOF):
        return _proved(_proof())
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
    """An older sign-in there than a session here may be is asked for anew."""
    return _to(Errand.STAFF, ABSOLUTE_LIFE)


def _proof() -> Route:
    return _to(Errand.PROOF, timedelta(0))


def _to(errand: Errand, max_age: timedelta) -> Route:
    back = "staff_oidc.come_back"
    return Route(trips.provider_of_staff(), errand, back, _show, max_age=max_age)


def _proved(route: Route) -> Response:
    found = trips.come_back(route)
    if isinstance(found, Response):
        return found
    if staff_identities.prove(database(), staff(), found, origin(), wall()) is not None:
        return trips.refused(route)
    flash(_("Confirmed: for 5 minutes you are not asked again."), "success")
    return htmx.go(staff_target())


def _show(stop: Stop) -> Response:
    return htmx.page("staff/provider.html", "staff/_provider.html", stop.status, stop=stop)
