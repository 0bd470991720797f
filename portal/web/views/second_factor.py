"""Two-step sign-in: turned on with an authenticator's first code, turned off, recovery codes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.queries.persons import SignInWays, sign_in_ways
from portal.services import second_factor as service
from portal.services.second_factor import Switched
from portal.services.throttling import Paused, Refused
from portal.web import htmx
from portal.web.access import requires
from portal.web.authenticators import offer
from portal.web.entering import take, too_soon, visit
from portal.web.forms.sign_in import ProofForm
from portal.web.requests import database, member, state
from portal.web.sign_in_sentences import wait_words
from portal.web.wiring import wiring

bp = Blueprint("second_factor", __name__, url_prefix="/settings/billing/security/two-step")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(ProofForm(), 200)


@bp.post("/begin")
@requires(Permission.SELF_UPDATE)
def begin() -> Response:
    service.begin(visit(), wiring().safe)
    return htmx.go(url_for("second_factor.index"))


@bp.post("/on")
@requires(Permission.SELF_UPDATE)
def turn_on() -> Response:
    form = ProofForm()
    if not form.validate():
        return _page(form, 422)
    outcome = service.turn_on(visit(), *_typed(form), wiring().safe)
    if not isinstance(outcome, Switched):
        return _again(form, outcome)
    return _shown_once(outcome, turned_on=True)


@bp.post("/off")
@requires(Permission.SELF_UPDATE)
def turn_off() -> Response:
    form = ProofForm()
    if not form.validate():
        return _page(form, 422)
    outcome = service.turn_off(visit(), *_typed(form), wiring().safe)
    if not isinstance(outcome, Switched):
        return _again(form, outcome)
    take(outcome.sid)
    flash(_("Two-step sign-in is off."), "success")
    return htmx.go(url_for("security.index"))


@bp.post("/recovery-codes")
@requires(Permission.SELF_UPDATE)
def make_codes() -> Response:
    form = ProofForm()
    if not form.validate():
        return _page(form, 422)
    outcome = service.make_codes(visit(), *_typed(form), wiring().safe)
    if not isinstance(outcome, Switched):
        return _again(form, outcome)
    return _shown_once(outcome, turned_on=False)


def _typed(form: ProofForm) -> tuple[str, str]:
    return str(form.password.data), str(form.code.data)


def _again(form: ProofForm, outcome: Refused | Paused) -> Response:
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_page(form, 429), outcome.wait)
    form.form_errors.append(_("Password or code is wrong, or the code has been used already."))
    return _page(form, 422)


def _shown_once(switched: Switched, *, turned_on: bool) -> Response:
    """The recovery codes, in the answer itself: they are kept nowhere to be shown again."""
    take(switched.sid)
    return htmx.page(
        "security/codes.html",
        "security/_codes.html",
        codes=switched.codes,
        turned_on=turned_on,
        state=state(),
    )


def _page(form: ProofForm, status: int) -> Response:
    form.code.data = ""
    ways: SignInWays = sign_in_ways(database(), member().actor)
    secret = service.offered(visit(), wiring().safe)
    return htmx.page(
        "security/two_step.html",
        "security/_two_step.html",
        status,
        form=form,
        ways=ways,
        offer=offer(secret, member().email) if secret else None,
        state=state(),
    )
