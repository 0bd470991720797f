"""Break-glass: a second member of staff approves a view, and the first begins it, once."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.queries.support_approvals import waiting_approval, waiting_approvals
from portal.services import support_approvals as service
from portal.web import htmx
from portal.web.entering import origin
from portal.web.forms.support import ProofForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff, staff_only
from portal.web.staff_proof import not_proved, proof_form
from portal.web.support import enter
from portal.web.views.accounts import account_page, support_form

bp = Blueprint("approvals", __name__, url_prefix=STAFF_PREFIX)


@bp.get("/approvals")
@staff_only
def index() -> Response:
    found = waiting_approvals(database(), scope(), wall())
    return htmx.page("approvals/index.html", "approvals/_list.html", found=found)


@bp.get("/approvals/<int:approval_id>")
@staff_only
def show(approval_id: int) -> Response:
    """Raises NotFound."""
    return _page(approval_id, proof_form(), 200)


@bp.post("/approvals/<int:approval_id>/approve")
@staff_only
def approve(approval_id: int) -> ResponseReturnValue:
    """Raises NotFound, Forbidden for one's own, and Conflict."""
    refused = not_proved(proof_form(), lambda typed, status: _page(approval_id, typed, status))
    if refused is not None:
        return refused
    service.answer(database(), staff(), approval_id, wall(), approved=True)
    flash(_("Approved: the view may begin within 30 minutes, once."), "success")
    return htmx.go(url_for("approvals.index"))


@bp.post("/approvals/<int:approval_id>/refuse")
@staff_only
def refuse(approval_id: int) -> Response:
    """Raises NotFound, Forbidden for one's own, and Conflict."""
    service.answer(database(), staff(), approval_id, wall(), approved=False)
    flash(_("You refused. Nobody looks."), "success")
    return htmx.go(url_for("approvals.index"))


@bp.post("/accounts/<int:account_id>/approvals/<int:approval_id>/begin")
@staff_only
def begin(account_id: int, approval_id: int) -> ResponseReturnValue:
    """Raises NotFound, and Conflict for what is not approved, used or over."""

    def show_account(typed: ProofForm, status: int) -> Response:
        return account_page(account_id, support_form(account_id), status, proof=typed)

    refused = not_proved(proof_form(), show_account)
    if refused is not None:
        return refused
    begun = service.begin(database(), staff(), account_id, approval_id, origin(), wall())
    return enter(htmx.go(url_for("addons.grid")), begun.sid)


def _page(approval_id: int, form: ProofForm, status: int) -> Response:
    form.code.data = ""
    found = waiting_approval(database(), scope(), approval_id, wall())
    mine = found.staff_id == staff().actor.staff_id
    return htmx.page(
        "approvals/approval.html", "approvals/_decide.html", status, found=found, form=form,
        mine=mine,
    )  # fmt: skip
