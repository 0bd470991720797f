"""An invitation that came by mail: seen, and accepted by whom it was sent to."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.passwords import Weakness
from portal.domain.sign_in import plain_email
from portal.queries.invitations import find_invitation
from portal.services import joining
from portal.services.joining import Joined, NotTheirs, SignInFirst
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.entering import go_on, origin, take, visit
from portal.web.forms.members import NewcomerForm
from portal.web.language import language
from portal.web.requests import database, scope, signed_in, wall
from portal.web.sign_in_sentences import weakness_words
from portal.web.trips import label

bp = Blueprint("invitations", __name__, url_prefix="/sign-in/invitation")


@bp.get("/<written>")
@open_to_all
def show(written: str) -> Response:
    return _page(written, NewcomerForm(), 200)


@bp.post("/<written>")
@open_to_all
def join(written: str) -> ResponseReturnValue:
    if signed_in():
        return _page(written, NewcomerForm(formdata=None), 409)
    form = NewcomerForm()
    if not form.validate():
        return _page(written, form, 422)
    who = joining.Newcomer(str(form.name.data), str(form.password.data), language())
    outcome = joining.join(database(), scope(), written, who, origin(), wall())
    if isinstance(outcome, Weakness):
        form.password.errors = [weakness_words(outcome)]
        return _page(written, form, 422)
    if outcome is None or isinstance(outcome, SignInFirst):
        return _page(written, form, 409)
    return go_on(outcome, url_for("addons.grid"))


@bp.post("/<written>/accept")
@open_to_all
def accept(written: str) -> ResponseReturnValue:
    if not signed_in():
        return htmx.go(url_for("invitations.show", written=written))
    outcome = joining.accept(visit(), written)
    if outcome is None or isinstance(outcome, NotTheirs):
        return _page(written, NewcomerForm(formdata=None), 409)
    return _welcome(outcome)


def _welcome(joined: Joined) -> Response:
    take(joined.sid)
    flash(_("Welcome: you are a member now."), "success")
    return htmx.go(url_for("addons.grid"))


def _page(written: str, form: NewcomerForm, status: int) -> Response:
    """What to do with the link, as long as it is good; 410 afterwards."""
    invitation = find_invitation(database(), scope(), written, wall())
    visitor = signed_in()
    email = visitor.member.email if visitor else ""
    return htmx.page(
        "auth/invitation.html",
        "auth/_invitation.html",
        status if invitation else 410,
        form=form,
        invitation=invitation,
        email=email,
        is_theirs=invitation is not None and plain_email(email) == plain_email(invitation.email),
        written=written,
        provider=label(),
    )
