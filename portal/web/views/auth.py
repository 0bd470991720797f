"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import login_user, logout_user

from portal.queries.members import find_member
from portal.services import sign_in as service
from portal.services.sign_in import Origin, digest_of
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.demo import DEMO_MEMBERS
from portal.web.forms.sign_in import SignInForm, safe_next
from portal.web.requests import SignedIn, database, scope, signed_in, wall
from portal.web.wiring import wiring

bp = Blueprint("auth", __name__)


@bp.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    return redirect(url_for("addons.grid"))


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
    origin = Origin(request.remote_addr or "", request.user_agent.string)
    email, password = str(form.email.data), str(form.password.data)
    sid = service.sign_in(database(), scope(), email, password, origin, wall())
    member = find_member(database(), scope(), digest_of(sid), wall()) if sid else None
    if sid is None or member is None:
        form.form_errors.append(gettext("E-mail or password is wrong."))
        return _form(form, 422)
    session.clear()
    login_user(SignedIn(sid, member))
    return htmx.go(safe_next(form.next.data, url_for("addons.grid")))


@bp.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    if user := signed_in():
        service.sign_out(database(), scope(), user.sid, wall())
    logout_user()
    session.clear()
    response = htmx.go(url_for("auth.sign_in"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _form(form: SignInForm, status: int = 200) -> Response:
    demo = DEMO_MEMBERS if wiring().settings.portal_demo else ()
    return htmx.page("auth/sign_in.html", "auth/_form.html", status, form=form, demo=demo)
