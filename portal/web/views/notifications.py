"""Notifications: which mails a member gets."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.services.mail_choices import choices_of, choose
from portal.web import htmx
from portal.web.access import requires
from portal.web.forms.notifications import ChoicesForm
from portal.web.requests import database, member, state, wall

bp = Blueprint("notifications", __name__, url_prefix="/settings/billing/notifications")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(ChoicesForm(obj=choices_of(database(), member().actor)), 200)


@bp.post("")
@requires(Permission.BILLING_UPDATE)
def save() -> Response:
    form = ChoicesForm()
    if not form.validate():
        return _page(form, 422)
    choose(database(), member().actor, form.choices(), wall())
    flash(_("Saved: you get the mails that you chose."), "success")
    return htmx.go(url_for("notifications.index"))


def _page(form: ChoicesForm, status: int) -> Response:
    return htmx.page(
        "notifications/index.html",
        "notifications/_choices.html",
        status,
        form=form,
        email=member().email,
        state=state(),
    )
