"""Staff: what became of each message to the host, and sending it once more."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.queries.webhooks import endpoints
from portal.queries.webhooks import messages as latest
from portal.services import webhooks
from portal.web import htmx
from portal.web.forms.sign_in import safe_next
from portal.web.forms.staff import MessageFilterForm
from portal.web.language import number
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import administrators_only, doer

bp = Blueprint("messages", __name__, url_prefix=f"{STAFF_PREFIX}/messages")
MOST = 50


@bp.get("")
@administrators_only
def index() -> Response:
    known = endpoints(database(), scope())
    form = MessageFilterForm(request.args).offering(known)
    found = latest(
        database(), scope(), form.endpoint_id(), MOST + 1,
        status=form.state(), before=form.before_id(),
    )  # fmt: skip
    return htmx.page(
        "messages/index.html",
        "messages/_list.html",
        form=form,
        endpoints=known,
        urls={each.id: each.url for each in known},
        messages=found[:MOST],
        older=found[MOST - 1].id if len(found) > MOST else None,
        now=wall(),
        here=request.full_path,
    )


@bp.post("/<int:message_id>/replay")
@administrators_only
def replay(message_id: int) -> Response:
    webhooks.replay_one(database(), scope(), message_id, wall(), doer())
    flash(_("It is sent once more."), "success")
    return htmx.go(safe_next(request.form.get("next"), url_for("messages.index")))


@bp.post("/endpoints/<int:endpoint_id>/replay")
@administrators_only
def replay_failed(endpoint_id: int) -> Response:
    count = webhooks.replay(
        database(), scope(), endpoint_id, None, wall(), doer(), failed_only=True
    )
    said = ngettext(
        "%(shown)s message is sent once more.",
        "%(shown)s messages are sent once more.",
        count, shown=number(count),
    )  # fmt: skip
    flash(said, "success")
    return htmx.go(url_for("messages.index", to=endpoint_id))
