"""A member links an identity provider to their sign-in, or unlinks it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.queries.identities import is_linked
from portal.queries.persons import sign_in_ways
from portal.services import identities, proving
from portal.services.throttling import Paused, Refused
from portal.web import htmx, trips
from portal.web.access import requires
from portal.web.entering import take, too_soon, visit
from portal.web.forms.sign_in import PasswordForm
from portal.web.requests import database, member, state
from portal.web.sign_in_sentences import wait_words
from portal.web.views.oidc import link_route

bp = Blueprint("own_provider", __name__, url_prefix="/settings/billing/security/provider")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(PasswordForm(), 200)


@bp.post("/link")
@requires(Permission.SELF_UPDATE)
def link() -> Response:
    route, form = link_route(member().actor.person_id), PasswordForm()
    if not form.validate():
        return _page(form, 422)
    outcome = proving.prove_alone(visit(), str(form.password.data))
    if isinstance(outcome, Refused | Paused):
        return _again(form, outcome)
    return trips.set_out(route)


@bp.post("/unlink")
@requires(Permission.SELF_UPDATE)
def unlink() -> Response:
    provider, form = trips.provider_of_members(), PasswordForm()
    if not form.validate():
        return _page(form, 422)
    typed = str(form.password.data)
    outcome = identities.unlink(visit(), provider.issuer, provider.label, typed)
    if isinstance(outcome, Refused | Paused):
        return _again(form, outcome)
    if outcome is not None:
        take(outcome.sid)
        flash(_("Unlinked. You are signed out everywhere else."), "success")
    return htmx.go(url_for("security.index"))


def _again(form: PasswordForm, outcome: Refused | Paused) -> Response:
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_page(form, 429), outcome.wait)
    form.password.errors = [_("This is not your current password")]
    return _page(form, 422)


def _page(form: PasswordForm, status: int) -> Response:
    provider, actor = trips.provider_of_members(), member().actor
    return htmx.page(
        "security/provider.html",
        "security/_provider.html",
        status,
        form=form,
        label=provider.label,
        ways=sign_in_ways(database(), actor),
        linked=is_linked(database(), actor.scope, actor.person_id, provider.issuer),
        email=member().email,
        state=state(),
    )
