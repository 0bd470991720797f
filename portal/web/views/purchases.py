"""A purchase after the paying button: its receipt, or that the bank has not answered yet."""

from __future__ import annotations

from flask import Blueprint, Response, url_for

from portal.domain.access import Permission
from portal.domain.payments import Declined, NeedsAuthentication
from portal.queries.invoices import get_purchase
from portal.services import purchases
from portal.web import htmx, words
from portal.web.access import requires
from portal.web.receipts import receipt_page
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("purchases", __name__, url_prefix="/settings/billing/purchases")


@bp.get("/<int:purchase_id>")
@requires(Permission.BILLING_READ)
def show(purchase_id: int) -> Response:
    purchase = get_purchase(database(), member().actor, purchase_id)
    if purchase.status == "settled":
        return receipt_page(purchase_id)
    instance = next(i for i in state().instances if i.id == purchase.instance_id)
    return htmx.page(
        "purchases/pending.html",
        "purchases/_pending.html",
        purchase=purchase,
        instance=instance,
        problem=None,
    )


@bp.post("/<int:purchase_id>/check")
@requires(Permission.BILLING_UPDATE)
def check(purchase_id: int) -> Response:
    """Ask the bank again, under the same key."""
    outcome = purchases.finish(
        member().actor, purchase_id, session=database(), gateway=wiring().gateway, wall=wall()
    )
    forget_state()
    if isinstance(outcome, (Declined, NeedsAuthentication)):
        return _failed(purchase_id, words.problem_of(outcome))
    return htmx.go(url_for("purchases.show", purchase_id=purchase_id))


def _failed(purchase_id: int, problem: words.Problem) -> Response:
    purchase = get_purchase(database(), member().actor, purchase_id)
    instance = next(i for i in state().instances if i.id == purchase.instance_id)
    return htmx.page(
        "purchases/pending.html",
        "purchases/_pending.html",
        422,
        purchase=purchase,
        instance=instance,
        problem=problem,
    )
