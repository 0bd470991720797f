"""Support access: whether staff may look at the account now, and for how long."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.support import SPANS, Consent
from portal.queries.support import views_of_account
from portal.queries.support_windows import live_windows
from portal.services import support_windows as service
from portal.services.support_endings import end_as_owner
from portal.web import htmx
from portal.web.access import requires
from portal.web.forms.support import AllowForm
from portal.web.requests import database, member, scope, state, wall
from portal.web.wiring import wiring

bp = Blueprint("support_access", __name__, url_prefix="/settings/billing/support-access")
MOST_VIEWS = 10


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(AllowForm(), 200)


@bp.post("")
@requires(Permission.MEMBERS_UPDATE)
def allow() -> Response:
    form = AllowForm()
    if not form.validate():
        return _page(form, 422)
    service.open_window(database(), member().actor, SPANS[str(form.span.data)], wall())
    flash(_("Our staff may look now. You can close it at any time."), "success")
    return htmx.go(url_for("support_access.index"))


@bp.post("/<int:window_id>/accept")
@requires(Permission.MEMBERS_UPDATE)
def accept(window_id: int) -> Response:
    service.answer(database(), member().actor, window_id, wall(), accepted=True)
    flash(_("Our staff may look now. You can close it at any time."), "success")
    return htmx.go(url_for("support_access.index"))


@bp.post("/<int:window_id>/refuse")
@requires(Permission.MEMBERS_UPDATE)
def refuse(window_id: int) -> Response:
    service.answer(database(), member().actor, window_id, wall(), accepted=False)
    flash(_("You refused. Nobody looks."), "success")
    return htmx.go(url_for("support_access.index"))


@bp.post("/<int:window_id>/close")
@requires(Permission.MEMBERS_UPDATE)
def close(window_id: int) -> Response:
    service.close(database(), member().actor, window_id, wall())
    flash(_("It is closed. Who was looking sees nothing more."), "success")
    return htmx.go(url_for("support_access.index"))


@bp.post("/views/<int:view_id>/end")
@requires(Permission.MEMBERS_UPDATE)
def end(view_id: int) -> Response:
    consent = Consent(wiring().settings.support_view)
    end_as_owner(database(), member().actor, view_id, consent, wall())
    flash(_("The support view is over. Who was looking sees nothing more."), "success")
    return htmx.go(url_for("support_access.index"))


def _page(form: AllowForm, status: int) -> Response:
    actor = member().actor
    return htmx.page(
        "support_access/index.html",
        "support_access/_access.html",
        status,
        form=form,
        windows=live_windows(database(), scope(), actor.account_id, wall()),
        views=views_of_account(database(), scope(), actor.account_id, MOST_VIEWS),
        consent=wiring().settings.support_view,
        may=actor.holds(Permission.MEMBERS_UPDATE),
        state=state(),
    )
