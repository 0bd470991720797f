"""Staff sign in: set up by a link, then password and code; and out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.passwords import Weakness
from portal.domain.support import EndCause
from portal.queries.staff import find_staff_challenge, find_staff_link
from portal.services import staff_sign_in as service
from portal.services import support_endings
from portal.services.throttling import Paused, Refused
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.authenticators import offer
from portal.web.demo import demo_staff
from portal.web.entering import not_let_in, origin
from portal.web.forms.sign_in import CodeForm, SignInForm, safe_next
from portal.web.forms.staff import SetUpForm
from portal.web.requests import STAFF_PREFIX, database, scope, support_view, wall
from portal.web.sign_in_sentences import weakness_words
from portal.web.staff import enter, leave, staff_only, staff_signed_in
from portal.web.support import leave as leave_view
from portal.web.wiring import wiring

bp = Blueprint("staff", __name__, url_prefix=STAFF_PREFIX)
CHALLENGE, TARGET = "staff_challenge", "staff_target"


@bp.get("")
@staff_only
def home() -> Response:
    return htmx.go(url_for("accounts.index"))


@bp.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    if staff_signed_in():
        return htmx.go(url_for("staff.home"))
    asked = request.args
    return _form(SignInForm(next=asked.get("next"), email=asked.get("email")))


@bp.post("/sign-in")
@open_to_all
def ask_code() -> Response:
    form = SignInForm()
    if not form.validate():
        return _form(form, 422)
    email, password = str(form.email.data), str(form.password.data)
    outcome = service.sign_in(database(), scope(), email, password, origin(), wall())
    if isinstance(outcome, Paused | Refused):
        return not_let_in(form, outcome, _("E-mail or password is wrong."), _form)
    session[CHALLENGE], session[TARGET] = outcome.challenge, form.next.data
    return htmx.go(url_for("staff.code"))


@bp.get("/sign-in/code")
@open_to_all
def code() -> Response:
    if find_staff_challenge(database(), scope(), session.get(CHALLENGE, ""), wall()) is None:
        return _begin_anew()
    return _code_form(CodeForm())


@bp.post("/sign-in/code")
@open_to_all
def start_session() -> Response:
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
            form, outcome, _("This code is wrong, or has been used already."), _code_form
        )
    session.pop(CHALLENGE, None)
    return enter(htmx.go(staff_target()), outcome.sid)


@bp.get("/set-up/<written>")
@open_to_all
def show_set_up(written: str) -> Response:
    return _set_up_form(written, SetUpForm(), 200)


@bp.post("/set-up/<written>")
@open_to_all
def set_up(written: str) -> ResponseReturnValue:
    form = SetUpForm()
    if not form.validate():
        return _set_up_form(written, form, 422)
    password, typed = str(form.password.data), str(form.code.data)
    outcome = service.set_up(
        database(), scope(), written, password, typed, origin(), wall(), wiring().safe
    )
    if isinstance(outcome, Weakness):
        form.password.errors = [weakness_words(outcome)]
        return _set_up_form(written, form, 422)
    if isinstance(outcome, Refused):
        form.code.errors = [_("This is not the code that your app shows now")]
        return _set_up_form(written, form, 422)
    if outcome is None:
        return _set_up_form(written, form, 410)
    return enter(htmx.go(url_for("staff.home")), outcome.sid)


@bp.post("/sign-out")
@open_to_all
def sign_out() -> Response:
    if who := staff_signed_in():
        if view := support_view():
            support_endings.end(database(), scope(), view.id, EndCause.SIGNED_OUT, wall())
        service.sign_out(database(), who, wall())
    return leave(leave_view(htmx.go(url_for("staff.sign_in"))))


def staff_target() -> str:
    """Where somebody was going, where that is a staff page."""
    home = url_for("staff.home")
    wanted = safe_next(session.pop(TARGET, None), home)
    return wanted if wanted.startswith(f"{STAFF_PREFIX}/") else home


def _begin_anew() -> Response:
    session.pop(CHALLENGE, None)
    flash(_("That took too long. Please sign in again."), "warning")
    return htmx.go(url_for("staff.sign_in"))


def _form(form: SignInForm, status: int = 200) -> Response:
    found = wiring().staff_provider
    return htmx.page(
        "staff/sign_in.html",
        "staff/_sign_in.html",
        status,
        form=form,
        provider=found.label if found else "",
        demo=demo_staff(),
    )


def _code_form(form: CodeForm, status: int = 200) -> Response:
    form.code.data = ""
    return htmx.page("staff/code.html", "staff/_code.html", status, form=form, demo=demo_staff())


def _set_up_form(written: str, form: SetUpForm, status: int) -> Response:
    """The form while the link is good, else what to do instead."""
    form.code.data = ""
    found = find_staff_link(database(), scope(), written, wall())
    secret = service.offered(found[1], found[0], wiring().safe) if found else None
    email = found[1].email if found else ""
    return htmx.page(
        "staff/set_up.html",
        "staff/_set_up.html",
        status if secret else 410,
        form=form,
        written=written,
        email=email,
        offer=offer(secret, _("%(email)s, staff", email=email)) if secret else None,
    )
