"""Staff: proposing an add-on to an account, and what became of it. Only members buy."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.errors import NotFound
from portal.domain.quotes import Quote
from portal.queries.accounts import AccountState, account_state
from portal.queries.addons import WHO_MAY_BUY, all_cards
from portal.queries.proposals import proposals_of
from portal.services import proposing
from portal.services.purchases import offer
from portal.web import htmx
from portal.web.forms.proposals import ProposalForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff, staff_only

bp = Blueprint("proposing", __name__, url_prefix=f"{STAFF_PREFIX}/accounts/<int:account_id>")


@bp.get("/proposals")
@staff_only
def index(account_id: int) -> Response:
    return _page(_account(account_id), ProposalForm(None), 200)


@bp.post("/proposals")
@staff_only
def propose(account_id: int) -> Response:
    """Asked to show the price only, nothing is proposed."""
    seen, form = _account(account_id), ProposalForm()
    form.offering(_buyable(seen))
    if not form.validate():
        return _page(seen, form, 422)
    if "show" in request.form:
        return _page(seen, form, 200, _quote(seen, form))
    wanted, note = form.wanted(), str(form.note.data or "").strip()
    outcome = proposing.propose(database(), staff(), account_id, wanted, note, wall())
    if isinstance(outcome, proposing.NotProposed):
        form.refuse(_why_not(outcome))
        return _page(seen, form, 422)
    flash(_("It is proposed. Those who may buy are told by mail, and see it in their portal."),
          "success")  # fmt: skip
    return htmx.go(url_for("proposing.index", account_id=account_id))


@bp.post("/proposals/<int:proposal_id>/withdraw")
@staff_only
def withdraw(account_id: int, proposal_id: int) -> Response:
    """Raises NotFound for another account's."""
    proposing.withdraw(database(), staff(), account_id, proposal_id, wall())
    flash(_("The proposal is taken back."), "success")
    return htmx.go(url_for("proposing.index", account_id=account_id))


def _page(
    seen: AccountState, form: ProposalForm, status: int, quote: Quote | None = None
) -> Response:
    return htmx.page(
        "proposals/index.html",
        "proposals/_staff.html",
        status,
        seen=seen,
        form=form.offering(_buyable(seen)),
        quote=quote,
        proposals=proposals_of(database(), scope(), seen, wall()),
    )


def _account(account_id: int) -> AccountState:
    """Raises NotFound."""
    return account_state(database(), scope(), account_id, wall())


def _buyable(seen: AccountState) -> list[tuple[str, str]]:
    """Lookup key and name of what the account could buy now."""
    cards = all_cards(seen, WHO_MAY_BUY)
    return [(c.add_on.lookup_key, c.add_on.name) for c in cards if c.refusal is None]


def _quote(seen: AccountState, form: ProposalForm) -> Quote:
    if seen.subscription is None:
        raise NotFound("subscription")
    return offer(seen, form.wanted())


def _why_not(outcome: proposing.NotProposed) -> str:
    if outcome.is_open:
        return _("This add-on is proposed already. Take that proposal back first.")
    if outcome.most is not None:
        return _("The account can add %(most)s of it at most.", most=outcome.most)
    return _("The account cannot buy it now.")
