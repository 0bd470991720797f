"""A forgotten password: the page that asks for a link, and the one that the link opens."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.passwords import Weakness
from portal.queries.persons import find_reset_link
from portal.services import resetting
from portal.services.throttling import Paused
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.entering import know, let_go, origin, too_soon
from portal.web.forms.sign_in import ForgottenForm, NewPasswordForm
from portal.web.requests import database, scope, wall
from portal.web.sign_in_sentences import wait_words, weakness_words

bp = Blueprint("resets", __name__, url_prefix="/sign-in")


@bp.get("/forgotten")
@open_to_all
def forgotten() -> Response:
    return _asking(ForgottenForm(), 200)


@bp.post("/forgotten")
@open_to_all
def ask() -> Response:
    form = ForgottenForm()
    if not form.validate():
        return _asking(form, 422)
    email = str(form.email.data)
    outcome = resetting.ask(database(), scope(), email, origin(), wall())
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_asking(form, 429), outcome.wait)
    return htmx.page("auth/asked.html", "auth/_asked.html", email=email)


@bp.get("/reset/<written>")
@open_to_all
def show(written: str) -> Response:
    return _setting(written, NewPasswordForm(), 200)


@bp.post("/reset/<written>")
@open_to_all
def reset(written: str) -> ResponseReturnValue:
    form = NewPasswordForm()
    if not form.validate():
        return _setting(written, form, 422)
    password = str(form.password.data)
    outcome = resetting.reset(database(), scope(), written, password, origin(), wall())
    if isinstance(outcome, Weakness):
        form.password.errors = [weakness_words(outcome)]
        return _setting(written, form, 422)
    if outcome is None:
        return _setting(written, form, 410)
    let_go()
    flash(
        _("Your new password holds, and you are signed out everywhere. Sign in with it."), "success"
    )
    return know(htmx.go(url_for("auth.sign_in")), outcome.device)


def _asking(form: ForgottenForm, status: int) -> Response:
    return htmx.page("auth/forgotten.html", "auth/_forgotten.html", status, form=form)


def _setting(written: str, form: NewPasswordForm, status: int) -> Response:
    """The form while the link is good, else what to do instead."""
    link = find_reset_link(database(), scope(), written, wall())
    return htmx.page(
        "auth/reset.html",
        "auth/_reset.html",
        status if link else 410,
        form=form,
        is_good=link is not None,
        written=written,
    )
