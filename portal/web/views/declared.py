"""Staff: cancellations that were declared without signing in, and the answer to each."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.errors import Conflict
from portal.queries.declarations import answered_cases, get_case, open_cases
from portal.services.answering import TooEarly, candidates, carry_out, put_aside
from portal.web import htmx
from portal.web.forms.declarations import AnswerForm
from portal.web.language import date
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff, staff_only
from portal.web.staff_proof import asked, not_proved
from portal.web.wiring import wiring

bp = Blueprint("declared", __name__, url_prefix=f"{STAFF_PREFIX}/cancellations")


@bp.get("")
@staff_only
def index() -> Response:
    return htmx.page(
        "declared/index.html",
        "declared/_list.html",
        waiting=open_cases(database(), scope()),
        answered=answered_cases(database(), scope()),
    )


@bp.get("/<int:declaration_id>")
@staff_only
def show(declaration_id: int) -> Response:
    """Raises NotFound."""
    return _page(declaration_id, _form(declaration_id), 200)


@bp.post("/<int:declaration_id>")
@staff_only
def answer(declaration_id: int) -> ResponseReturnValue:
    """Raises NotFound, and Conflict for what is answered already."""
    if get_case(database(), scope(), declaration_id).answer is not None:
        raise Conflict("this declaration is answered")
    form = _form(declaration_id)
    refused = not_proved(form, lambda typed, status: _page(declaration_id, typed, status))
    if refused is not None:
        return refused
    contract = form.contract
    if contract is None:
        put_aside(database(), staff(), declaration_id, form.answer, form.words, wall())
        flash(_("Answered. They are told by mail."), "success")
        return htmx.go(url_for("declared.index"))
    outcome = carry_out(
        staff(), declaration_id, contract.account_id, contract.instance_id, form.words,
        session=database(), gateway=wiring().gateway, wall=wall(),
    )  # fmt: skip
    if isinstance(outcome, TooEarly):
        form.act.errors = [_too_early(outcome)]
        return _page(declaration_id, form, 422)
    flash(_("It ends on %(date)s. They are told by mail.", date=date(outcome.ends_at)), "success")
    return htmx.go(url_for("declared.index"))


def _too_early(outcome: TooEarly) -> str:
    return _("It would end on %(date)s, before the day that was asked for. Come back once a later"
             " period runs.", date=date(outcome.ends_at))  # fmt: skip


def _form(declaration_id: int) -> AnswerForm:
    """Raises NotFound."""
    declared = get_case(database(), scope(), declaration_id).declared
    found = candidates(database(), scope(), declared, wall())
    return asked(AnswerForm()).offering(found)


def _page(declaration_id: int, form: AnswerForm, status: int) -> Response:
    form.code.data = ""
    case = get_case(database(), scope(), declaration_id)
    found = candidates(database(), scope(), case.declared, wall()) if case.answer is None else ()
    return htmx.page(
        "declared/case.html", "declared/_case.html", status, case=case, form=form, found=found
    )
