"""Staff: finding an account, and what there is to know of one before looking through its eyes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from portal.queries.accounts import account_state
from portal.queries.staff_accounts import members_of, search_accounts
from portal.web import htmx
from portal.web.forms.support import AccountSearchForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff_only

bp = Blueprint("accounts", __name__, url_prefix=f"{STAFF_PREFIX}/accounts")


@bp.get("")
@staff_only
def index() -> Response:
    form, number = AccountSearchForm(request.args), request.args.get("page", 1, type=int)
    found = search_accounts(database(), scope(), form.text, number) if form.text else None
    return htmx.page("accounts/index.html", "accounts/_search.html", form=form, found=found)


@bp.get("/<int:account_id>")
@staff_only
def show(account_id: int) -> Response:
    """Raises NotFound."""
    return htmx.page(
        "accounts/account.html",
        "accounts/_overview.html",
        seen=account_state(database(), scope(), account_id, wall()),
        members=members_of(database(), scope(), account_id),
    )
