"""Signing in, with a code as the second step where somebody wants it, and out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from portal.queries.demo import DEMO_STAFF
from portal.queries.persons import find_challenge
from portal.services import sign_in as service
from portal.services.throttling import Paused, Refused
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.demo import DEMO_MEMBERS
from portal.web.entering import CHALLENGE, TARGET, go_on, let_go, not_let_in, origin
from portal.web.forms.sign_in import CodeForm, SignInForm, safe_next
from portal.web.requests import database, scope, signed_in, wall
from portal.web.trips import label
from portal.web.wiring import wiring

bp = Blueprint("auth", __name__)


@bp.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    return redirect(url_for("addons.grid"))


@bp.get("/support", strict_slashes=False)
@open_to_all
def support() -> ResponseReturnValue:
    """Where support staff may look for their door."""
    return redirect(url_for("staff.home"), 303)


@bp.get("/sign-in")
@open_to_all
def sign_in() -> ResponseReturnValue:
    target = safe_next(request.args.get("next"), url_for("addons.grid"))
    if signed_in():
        return redirect(target)
    return _form(SignInForm(next=target, email=request.args.get("email")))


@bp.post("/sign-in")
@open_to_all
def start_session() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate():
        return _form(form, 422)
    email, password = str(form.email.data), str(form.password.data)
    outcome = service.sign_in(database(), scope(), email, password, origin(), wall())
    if isinstance(outcome, Paused | Refused):
        return not_let_in(form, outcome, gettext("E-mail or password is wrong."), _form)
    return go_on(outcome, safe_next(form.next.data, url_for("addons.grid")))


@bp.get("/sign-in/code")
@open_to_all
def code() -> ResponseReturnValue:
    if find_challenge(database(), scope(), session.get(CHALLENGE, ""), wall()) is None:
        return _begin_anew()
    return _code_form(CodeForm())


@bp.post("/sign-in/code")
@open_to_all
def enter_code() -> ResponseReturnValue:
    form = CodeForm()
    if not form.validate():
        return _code_form(form, 422)
    written, typed = session.get(CHALLENGE, ""), str(form.code.data)
    outcome = service.enter_code(
        database(), scope(), written, typed, origin(), wall(), wiring().safe
    )
    if outcome is None:
        return _begin_anew()
    if isinstance(outcome, Paused | Refused):
        return not_let_in(
            form, outcome, gettext("This code is wrong, or has been used already."), _code_form
        )
    return go_on(outcome, safe_next(session.get(TARGET), url_for("addons.grid")))


@bp.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    let_go()
    response = htmx.go(url_for("auth.sign_in"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _begin_anew() -> Response:
    session.pop(CHALLENGE, None)
    flash(gettext("That took too long. Please sign in again."), "warning")
    return htmx.go(url_for("auth.sign_in"))


def _form(form: SignInForm, status: int = 200) -> Response:
    demo = DEMO_MEMBERS if wiring().settings.portal_demo else ()
    return htmx.page(
        "auth/sign_in.html", "auth/_form.html", status, form=form, demo=demo,
        demo_staff=DEMO_STAFF, provider=label(),
    )  # fmt: skip


def _code_form(form: CodeForm, status: int = 200) -> Response:
    form.code.data = ""
    return htmx.page("auth/code.html", "auth/_code.html", status, form=form)
