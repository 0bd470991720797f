"""The test clock of the member's account; in development environments only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.access import Permission
from portal.domain.errors import Conflict, NotFound
from portal.queries.activity import Filters, activity_page
from portal.queries.billing import next_bills
from portal.services import clock
from portal.services.till import till_of
from portal.web import htmx
from portal.web.access import requires
from portal.web.forms.clock import ON, SPANS, ClockForm
from portal.web.language import date_time, number
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("clock", __name__, url_prefix="/settings/billing/clock")

SPELL_S = 5.0
"""How long one request moves the clock before it says how far it has come."""
LATEST = 30
ALL = Filters()


@dataclass(frozen=True, slots=True)
class Move:
    """A move that is under way. steps: taken so far. waits: somebody else moves the clock now."""

    since: datetime
    now: datetime
    to: datetime
    steps: int
    waits: bool = False

    @property
    def percent(self) -> int:
        """How much of it is behind, in whole percent."""
        return max(0, int(100 * ((self.now - self.since) / (self.to - self.since))))


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
    form, began_at = ClockForm(), state().now
    to = form.target(began_at, _next_at(), state().account.zone) if form.validate() else None
    if to is None:
        return _refused(form)
    if form.names_instant and to <= began_at:
        flash(_("The clock had been moved already: it is %(at)s.", at=date_time(began_at)), "info")
        return htmx.go(url_for("clock.index"))
    actor, ends = member().actor, monotonic() + SPELL_S
    till = till_of(actor, database(), wiring().gateway, wall())
    try:
        steps = clock.advance(till, actor.account_id, to, enough=lambda: monotonic() >= ends)
    except Conflict:
        return _refused(form)
    forget_state()
    return _so_far(form, began_at, to, steps)


def _so_far(form: ClockForm, began_at: datetime, to: datetime, steps: int | None) -> Response:
    """steps: of this spell; None where somebody else is moving the clock."""
    since, before = began_at, 0
    if form.by.data == ON:
        since = min(began_at, datetime.fromtimestamp(form.since.data or 0, UTC))
        before = form.steps.data or 0
    if state().now < to:
        move = Move(since, state().now, to, before + (steps or 0), waits=steps is None)
        return _page(form, 422 if move.waits else 200, move)
    flash(_moved(to, before + (steps or 0)), "success")
    return htmx.go(url_for("clock.index"))


def _moved(to: datetime, steps: int) -> str:
    done = ngettext(
        "%(shown)s step was due", "%(shown)s steps were due", steps, shown=number(steps)
    )
    return _("It is now %(at)s. %(done)s on the way.", at=date_time(to), done=done)


def _refused(form: ClockForm) -> Response:
    forget_state()
    words = _("Enter a date ahead of the account's own, at most three years")
    form.to.errors = [*form.to.errors, words]
    return _page(form, 422)


def _page(form: ClockForm, status: int, move: Move | None = None) -> Response:
    account = state().account
    lately = activity_page(database(), member().actor.scope, account.id, account.zone, ALL, 1)
    return htmx.page(
        "clock/index.html",
        "clock/_panel.html",
        status,
        form=form,
        next_at=_next_at(),
        spans=SPANS,
        happened=lately.acts[:LATEST],
        move=move,
        state=state(),
    )


def _next_at() -> datetime | None:
    """The next bill, where one is coming."""
    found = next_bills(state())
    return found.ahead[0].at if found and found.ahead else None


def _require_development() -> None:
    if wiring().settings.portal_environment != "development":
        raise NotFound("clock")
