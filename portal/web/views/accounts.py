"""Staff: finding an account, and what there is to know of one before looking through its eyes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from portal.queries.accounts import account_state
from portal.queries.staff_accounts import members_of, search_accounts
from portal.queries.support import views_of_account
from portal.queries.support_approvals import own_approval
from portal.queries.support_windows import live_windows
from portal.web import htmx
from portal.web.forms.support import AccountSearchForm, AskForm, ProofForm, SupportForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff, staff_only
from portal.web.staff_proof import asked, proof_form
from portal.web.wiring import wiring

bp = Blueprint("accounts", __name__, url_prefix=f"{STAFF_PREFIX}/accounts")
MOST_VIEWS = 10


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
    return account_page(account_id, support_form(account_id), 200)


def support_form(account_id: int) -> SupportForm:
    """It asks for a code where the last one was shown long ago."""
    members = members_of(database(), scope(), account_id)
    return asked(SupportForm()).offering(members)


def account_page(
    account_id: int,
    form: SupportForm,
    status: int,
    ask: AskForm | None = None,
    proof: ProofForm | None = None,
) -> Response:
    """Raises NotFound."""
    form.code.data = ""
    return htmx.page(
        "accounts/account.html",
        "accounts/_overview.html",
        status,
        form=form,
        ask=ask or AskForm(None),
        proof=proof or proof_form(),
        approval=own_approval(database(), staff().actor, account_id, wall()),
        seen=account_state(database(), scope(), account_id, wall()),
        members=members_of(database(), scope(), account_id),
        views=views_of_account(database(), scope(), account_id, MOST_VIEWS),
        windows=live_windows(database(), scope(), account_id, wall()),
        consent=wiring().settings.support_view,
    )
