"""Staff begin a support view of an account, end it, and see who looked at what."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.support import Consent, EndCause
from portal.queries.staff import all_staff
from portal.queries.support_report import agents, reported_views
from portal.services import support as service
from portal.services import support_approvals, support_endings, support_windows
from portal.services.support import NotAllowed, OfStaff, Wanted
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.entering import origin
from portal.web.forms.support import AskForm, ReportForm
from portal.web.requests import STAFF_PREFIX, database, scope, support_view, wall
from portal.web.staff import staff, staff_only
from portal.web.staff_proof import not_proved
from portal.web.support import enter, leave
from portal.web.views.accounts import account_page, support_form
from portal.web.wiring import wiring

bp = Blueprint("support", __name__, url_prefix=STAFF_PREFIX)


@bp.post("/accounts/<int:account_id>/support-view")
@staff_only
def start(account_id: int) -> ResponseReturnValue:
    """Raises NotFound."""
    form = support_form(account_id)
    refused = not_proved(form, lambda typed, status: account_page(account_id, typed, status))
    if refused is not None:
        return refused
    wanted = Wanted(account_id, form.membership.data, str(form.reason.data), str(form.ticket.data))
    consent = Consent(wiring().settings.support_view)
    outcome = service.start(database(), staff(), wanted, consent, origin(), wall())
    if isinstance(outcome, OfStaff):
        form.membership.errors = [_("One of the staff: nobody looks through their eyes")]
        return account_page(account_id, form, 422)
    if isinstance(outcome, NotAllowed) and consent is Consent.BREAK_GLASS:
        support_approvals.ask(database(), staff(), wanted, wall())
        flash(
            _("It waits for a second member of staff. All who can approve get a mail."), "success"
        )
        return htmx.go(url_for("accounts.show", account_id=account_id))
    if isinstance(outcome, NotAllowed):
        flash(_("The account does not let staff look now. Ask it first."), "warning")
        return account_page(account_id, form, 409)
    return enter(htmx.go(url_for("addons.grid")), outcome.sid)


@bp.post("/accounts/<int:account_id>/support-request")
@staff_only
def ask(account_id: int) -> Response:
    """Raises NotFound, and Conflict while another wish waits."""
    form = AskForm()
    if not form.validate():
        return account_page(account_id, support_form(account_id), 422, form)
    reason, ticket = str(form.reason.data), str(form.ticket.data)
    support_windows.ask(database(), staff(), account_id, reason, ticket, wall())
    flash(_("The owners are asked."), "success")
    return htmx.go(url_for("accounts.show", account_id=account_id))


@bp.post("/support-view/end")
@open_to_all
def end() -> Response:
    """End it once more, and nothing happens: what is over stays as it ended."""
    view = support_view()
    if view is None:
        return leave(htmx.go(url_for("accounts.index")))
    support_endings.end(database(), scope(), view.id, EndCause.LEFT, wall())
    flash(_("The support view has ended."), "success")
    account_id = view.member.actor.account_id
    return leave(htmx.go(url_for("accounts.show", account_id=account_id)))


@bp.get("/support-sessions")
@staff_only
def report() -> Response:
    people = [(each.id, each.name) for each in all_staff(database(), scope())]
    form = ReportForm(request.args).offering(people)
    found = reported_views(
        database(), scope(), wall() - form.since, form.staff_id, only_odd=bool(form.odd.data)
    )
    return htmx.page(
        "support/index.html", "support/_report.html", form=form, found=found, agents=agents(found)
    )
