"""Members sign in by an identity provider, or come back from linking one."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, session, url_for
from flask_babel import gettext as _

from portal.domain.identities import Errand, Identity
from portal.services import identities, joining
from portal.services.identities import AnothersIdentity
from portal.services.throttling import Refused
from portal.web import htmx, trips
from portal.web.access import open_to_all
from portal.web.entering import go_on, origin, take, visit
from portal.web.forms.sign_in import safe_next
from portal.web.language import language
from portal.web.requests import database, scope, signed_in, wall
from portal.web.trips import Route, Stop

bp = Blueprint("oidc", __name__, url_prefix="/sign-in/oidc")
TARGET, INVITATION = "trip_target", "trip_invitation"


@bp.post("")
@open_to_all
def begin() -> Response:
    route = _route()
    session[TARGET] = request.form.get("next")
    session[INVITATION] = request.form.get("invitation", "")
    return trips.set_out(route)


@bp.get("/return")
@open_to_all
def come_back() -> Response:
    visitor = signed_in()
    if visitor is not None and trips.is_on(Errand.LINK):
        return _link(link_route(visitor.member.actor.person_id))
    route = _route()
    found = trips.come_back(route)
    return found if isinstance(found, Response) else _enter(route, found)


def link_route(person_id: int) -> Route:
    """To the provider and back for who links it. Raises NotFound without a provider."""
    return Route(trips.provider_of_members(), Errand.LINK, "oidc.come_back", show, person_id)


def show(stop: Stop) -> Response:
    return htmx.page("auth/provider.html", "auth/_provider.html", stop.status, stop=stop)


def _route() -> Route:
    return Route(trips.provider_of_members(), Errand.MEMBER, "oidc.come_back", show)


def _enter(route: Route, who: Identity) -> Response:
    given = database(), scope()
    target = safe_next(session.pop(TARGET, None), url_for("addons.grid"))
    outcome = None
    if invitation := session.pop(INVITATION, ""):
        outcome = joining.join_vouched(*given, invitation, who, language(), origin(), wall())
        target = target if outcome is None else url_for("addons.grid")
    found = outcome or identities.enter(*given, who, route.provider.label, origin(), wall())
    return trips.refused(route) if isinstance(found, Refused) else go_on(found, target)


def _link(route: Route) -> Response:
    found = trips.come_back(route)
    if isinstance(found, Response):
        return found
    outcome = identities.link(visit(), found, route.provider.label)
    if isinstance(outcome, AnothersIdentity):
        flash(_("Nothing was linked: this sign-in is somebody else's here."), "danger")
        return htmx.go(url_for("security.index"))
    take(outcome.sid)
    flash(_("Linked: you can sign in with it from now on."), "success")
    return htmx.go(url_for("security.index"))
