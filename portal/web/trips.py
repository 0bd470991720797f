"""Browsers sent to an identity provider, and what they bring back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask import Response, request, session, url_for
from flask_babel import gettext as _

from portal.domain.errors import NotFound
from portal.domain.identities import (
    Answer,
    Errand,
    Identity,
    IdentityProvider,
    NotBelieved,
    ProviderSilent,
    Trip,
)
from portal.services import trips
from portal.services.throttling import Paused
from portal.web.entering import origin, too_soon
from portal.web.requests import database, scope, wall
from portal.web.sign_in_sentences import wait_words
from portal.web.wiring import wiring

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stop:
    """A page between the portal and a provider. address: where it leads on; empty: nowhere.

    is_link: somebody who is signed in was on the way.
    """

    title: str
    said: str
    status: int
    address: str = ""
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a provider and back. back: the endpoint it returns to; show: its pages.

    max_age: how old a sign-in there may be; nought asks for a new one.
    """

    provider: IdentityProvider
    errand: Errand
    back: str
    show: Callable[[Stop], Response]
    person_id: int | None = None
    max_age: timedelta | None = None

    @property
    def key(self) -> str:
        """Under which the browser keeps the trip."""
        return f"trip_{self.errand}"

    def stop(self, said: str, status: int) -> Response:
        """A page that says why nothing came of it."""
        is_link = self.errand is Errand.LINK
        title = _("Nothing was linked") if is_link else _("You are not signed in")
        if self.errand is Errand.PROOF:
            title = _("Not confirmed")
        return self.show(Stop(title, said, status, is_link=is_link))

    @property
    def address(self) -> str:
        """Where it returns to, as the provider knows it."""
        return wiring().settings.public_url + url_for(self.back)


def provider_of_members() -> IdentityProvider:
    """Raises NotFound where there is none."""
    return _there(wiring().provider)


def provider_of_staff() -> IdentityProvider:
    """Raises NotFound where there is none."""
    return _there(wiring().staff_provider)


def label() -> str:
    """What the button on members' pages says; empty without a provider."""
    found = wiring().provider
    return found.label if found else ""


def set_out(route: Route) -> Response:
    """A page that leads on at once: a form may not lead to another site by itself (CSP)."""
    trip = trips.begin(database(), scope(), route.errand, origin(), wall(), route.person_id)
    if isinstance(trip, Paused):
        page = route.stop(wait_words(trip.wait), 429)
        return too_soon(page, trip.wait)
    try:
        address = route.provider.address(trip, route.address, wall(), route.max_age)
    except ProviderSilent as error:
        return _silent(route, error)
    session[route.key] = trip.written
    said = _("You are being sent to the page where you sign in.")
    page = route.show(Stop(_("One moment"), said, 200, address))
    page.headers["Refresh"] = f"0;url={address}"
    return page


def is_on(errand: Errand) -> bool:
    """Whether what the browser brings back answers a trip of this kind."""
    trip = Trip(session.get(f"trip_{errand}", ""))
    return bool(trip.written) and trip.is_answered_by(request.args.get("state", ""))


def come_back(route: Route) -> Identity | Response:
    """Who came back, or a page that says why nobody did."""
    given = request.args
    trip = Trip(session.pop(route.key, ""))
    answer = Answer(given.get("state", ""), given.get("code", ""), given.get("iss", ""))
    ours = (route.errand, trip, answer, wall(), route.person_id)
    if not trips.end(database(), scope(), *ours):
        return route.stop(_("That took too long, or was begun elsewhere."), 400)
    if not answer.code:
        log.info("provider_refused", error=given.get("error", "")[:80])
        return refused(route)
    try:
        return route.provider.identify(trip, answer, route.address, wall())
    except NotBelieved as error:
        log.warning("provider_not_believed", reason=str(error))
        return refused(route)
    except ProviderSilent as error:
        return _silent(route, error)


def refused(route: Route) -> Response:
    """The same words for every reason: they tell nobody whose address is known here."""
    said = _("This sign-in opens nothing here. If you have a password, sign in with it, and link"
             " this sign-in under Security. If not, ask who invited you.")  # fmt: skip
    if route.errand is Errand.STAFF:
        said = _("This sign-in opens nothing here. Ask who runs the portal.")
    if route.errand is Errand.PROOF:
        said = _("You were not asked for both steps there, or are somebody else there. Nothing was"
                 " changed.")  # fmt: skip
    if route.errand is Errand.LINK:
        said = _("You did not sign in there, or it did not say who you are.")
    return route.stop(said, 403)


def _silent(route: Route, error: ProviderSilent) -> Response:
    log.warning("provider_silent", reason=str(error))
    said = _("The page where you sign in does not answer. Try again in a minute, or use your"
             " password.")  # fmt: skip
    return route.stop(said, 503)


def _there(provider: IdentityProvider | None) -> IdentityProvider:
    if provider is None:
        raise NotFound("provider")
    return provider
