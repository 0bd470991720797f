"""A member links an identity provider to their sign-in, or unlinks it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.queries.identities import is_linked
from portal.queries.persons import has_second_factor, sign_in_ways
from portal.services import identities, second_factor
from portal.services.throttling import Paused, Refused
from portal.web import htmx, trips
from portal.web.access import requires
from portal.web.entering import take, too_soon, visit
from portal.web.forms.sign_in import PasswordForm, ProofForm
from portal.web.requests import database, member, state
from portal.web.sign_in_sentences import wait_words
from portal.web.views.oidc import link_route
from portal.web.wiring import wiring

bp = Blueprint("own_provider", __name__, url_prefix="/settings/billing/security/provider")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(_form(), 200)


@bp.post("/link")
@requires(Permission.SELF_UPDATE)
def link() -> Response:
    route, form = link_route(member().actor.person_id), _form()
    if not form.validate():
        return _page(form, 422)
    outcome = second_factor.prove_alone(visit(), *_typed(form), wiring().safe)
    if isinstance(outcome, Refused | Paused):
        return _again(form, outcome)
    return trips.set_out(route)


@bp.post("/unlink")
@requires(Permission.SELF_UPDATE)
def unlink() -> Response:
    provider, form = trips.provider_of_members(), _form()
    if not form.validate():
        return _page(form, 422)
    safe = wiring().safe
    outcome = identities.unlink(visit(), provider.issuer, provider.label, *_typed(form), safe)
    if isinstance(outcome, Refused | Paused):
        return _again(form, outcome)
    if outcome is not None:
        take(outcome.sid)
        flash(_("Unlinked. You are signed out everywhere else."), "success")
    return htmx.go(url_for("security.index"))


def _form() -> PasswordForm:
    """It asks for a code of who has a second step."""
    actor = member().actor
    steps = has_second_factor(database(), actor.scope, actor.person_id)
    return ProofForm() if steps else PasswordForm()


def _typed(form: PasswordForm) -> tuple[str, str]:
    """Password and code; no code where none was asked for."""
    code = str(form.code.data) if isinstance(form, ProofForm) else ""
    return str(form.password.data), code


def _again(form: PasswordForm, outcome: Refused | Paused) -> Response:
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_page(form, 429), outcome.wait)
    if isinstance(form, ProofForm):
        form.code.errors = [_("Password or code is wrong, or the code has been used already.")]
    else:
        form.password.errors = [_("This is not your current password")]
    return _page(form, 422)


def _page(form: PasswordForm, status: int) -> Response:
    provider, actor = trips.provider_of_members(), member().actor
    if isinstance(form, ProofForm):
        form.code.data = ""
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
