"""Security: how a member signs in, and where they are signed in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.access import Permission
from portal.domain.errors import NotFound
from portal.domain.passwords import Weakness
from portal.queries.identities import is_linked
from portal.queries.persons import sign_in_ways
from portal.queries.sessions import open_sessions
from portal.services.changing_passwords import change_password
from portal.services.sessions import revoke, revoke_others
from portal.services.throttling import Paused, Refused
from portal.web import htmx
from portal.web.access import requires
from portal.web.entering import origin, take, too_soon, visit
from portal.web.forms.sign_in import ChangePasswordForm
from portal.web.language import number
from portal.web.requests import database, member, state, wall
from portal.web.sign_in_sentences import wait_words, weakness_words
from portal.web.wiring import wiring

bp = Blueprint("security", __name__, url_prefix="/settings/billing/security")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    actor, found = member().actor, wiring().provider
    return htmx.page(
        "security/index.html",
        "security/_overview.html",
        ways=sign_in_ways(database(), actor),
        sessions=open_sessions(database(), actor, member().session_id, wall()),
        email=member().email,
        provider=found.label if found else "",
        linked=found is not None
        and is_linked(database(), actor.scope, actor.person_id, found.issuer),
        state=state(),
    )


@bp.get("/password")
@requires(Permission.BILLING_READ)
def password() -> Response:
    return _password(ChangePasswordForm(), 200)


@bp.post("/password")
@requires(Permission.SELF_UPDATE)
def change() -> Response:
    form = ChangePasswordForm()
    if not form.validate():
        return _password(form, 422)
    outcome = change_password(visit(), str(form.old.data), str(form.password.data))
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_password(form, 429), outcome.wait)
    if isinstance(outcome, Weakness):
        form.password.errors = [weakness_words(outcome)]
        return _password(form, 422)
    if isinstance(outcome, Refused):
        form.old.errors = [_("This is not your current password")]
        return _password(form, 422)
    take(outcome.sid)
    flash(_("Your password is changed. You are signed out everywhere else."), "success")
    return htmx.go(url_for("security.index"))


@bp.post("/sessions/<int:session_id>/revoke")
@requires(Permission.SELF_UPDATE)
def end_session(session_id: int) -> Response:
    """End one of the member's own. Raises NotFound for anybody else's."""
    if not revoke(database(), member().actor, session_id, wall()):
        raise NotFound("session")
    flash(_("That device is signed out."), "success")
    return htmx.go(url_for("security.index"))


@bp.post("/sessions/revoke-others")
@requires(Permission.SELF_UPDATE)
def end_other_sessions() -> Response:
    who = member()
    ended = revoke_others(database(), who.actor, who.session_id, origin().device, wall())
    flash(
        ngettext(
            "%(shown)s other session has ended.",
            "%(shown)s other sessions have ended.",
            ended, shown=number(ended),
        ),
        "success",
    )  # fmt: skip
    return htmx.go(url_for("security.index"))


def _password(form: ChangePasswordForm, status: int) -> Response:
    return htmx.page(
        "security/password.html",
        "security/_password.html",
        status,
        form=form,
        ways=sign_in_ways(database(), member().actor),
        email=member().email,
        state=state(),
    )
