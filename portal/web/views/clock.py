"""The test clock of the member's account; in development environments only."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.access import Permission
from portal.domain.errors import Conflict, NotFound
from portal.queries.billing import next_bills
from portal.queries.history import latest
from portal.services import clock
from portal.services.till import till_of
from portal.web import htmx
from portal.web.access import requires
from portal.web.forms.clock import ClockForm
from portal.web.language import date_time, number
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("clock", __name__, url_prefix="/settings/billing/clock")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    _require_development()
    return _page(ClockForm(), 200)


@bp.post("")
@requires(Permission.BILLING_UPDATE)
def advance() -> Response:
    """Move on, and let everything due on the way happen."""
    _require_development()
    form = ClockForm()
    to = form.target(state().now, _next_at(), state().account.zone) if form.validate() else None
    if to is None:
        return _refused(form)
    actor = member().actor
    till = till_of(actor, database(), wiring().gateway, wall())
    try:
        steps = clock.advance(till, actor.account_id, to)
    except Conflict:
        return _refused(form)
    flash(_moved(to, steps), "success")
    return htmx.go(url_for("clock.index"))


def _moved(to: datetime, steps: int) -> str:
    forget_state()
    done = ngettext(
        "%(shown)s step was due", "%(shown)s steps were due", steps, shown=number(steps)
    )
    return _("It is now %(at)s. %(done)s on the way.", at=date_time(to), done=done)


def _refused(form: ClockForm) -> Response:
    forget_state()
    words = _("Enter a date ahead of the account's own, at most three years")
    form.to.errors = [*form.to.errors, words]
    return _page(form, 422)


def _page(form: ClockForm, status: int) -> Response:
    return htmx.page(
        "clock/index.html",
        "clock/_panel.html",
        status,
        form=form,
        next_at=_next_at(),
        happened=latest(database(), member().actor),
        state=state(),
    )


def _next_at() -> datetime | None:
    """The next bill, where one is coming."""
    found = next_bills(state())
    return found.ahead[0].at if found and found.ahead else None


def _require_development() -> None:
    if wiring().settings.portal_environment != "development":
        raise NotFound("clock")
