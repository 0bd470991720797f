"""A purchase after the paying button: its receipt, or what is still to do for it."""

from __future__ import annotations

from typing import assert_never

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import PaymentsUnavailable
from portal.domain.throttle import PURCHASE
from portal.queries.cards import saved_cards
from portal.queries.purchases import Purchase, Step, get_purchase
from portal.services import purchases, waiting
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying
from portal.web import htmx, steps
from portal.web.access import requires
from portal.web.agreeing import owing
from portal.web.forms.cards import CardForm
from portal.web.pacing import paced
from portal.web.receipts import receipt_page
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring
from portal.web.words import no_time_for_checkout

bp = Blueprint("purchases", __name__, url_prefix="/settings/billing/purchases")


@bp.get("/<int:purchase_id>")
@requires(Permission.BILLING_READ)
def show(purchase_id: int) -> Response:
    if get_purchase(database(), member().actor, purchase_id).step is Step.SETTLED:
        return receipt_page(purchase_id)
    return _page(purchase_id, 200)


@bp.get("/<int:purchase_id>/return")
@requires(Permission.BILLING_READ)
def returned(purchase_id: int) -> Response:
    """Back from Stripe's page or the bank's: ask how it went, whatever the address says."""
    return _brought_on(purchase_id)


@bp.post("/<int:purchase_id>/check")
@requires(Permission.BILLING_UPDATE)
def check(purchase_id: int) -> Response:
    """Ask the bank again, under the same key."""
    return _brought_on(purchase_id)


@bp.post("/<int:purchase_id>/pay")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def pay(purchase_id: int) -> Response:
    """Try another card, or the same once more, for the same purchase."""
    actor = member().actor
    if get_purchase(database(), actor, purchase_id).step is Step.SETTLED:
        return htmx.go(url_for("purchases.show", purchase_id=purchase_id))
    form = _cards(CardForm(), purchase_id)
    if not form.validate():
        return _page(purchase_id, 422, form)
    paying = Paying(form.choice, purchase_address, owing(f"purchase:{purchase_id}"))
    outcome = waiting.pay(
        actor, purchase_id, paying,
        session=database(), gateway=wiring().gateway, wall=wall(),
    )  # fmt: skip
    match outcome:
        case NeedsCheckout(_id, url):
            return htmx.go(url)
        case NoTimeForCheckout():
            flash(no_time_for_checkout(outcome).message, "warning")
        case Settled() | Pending() | Unpaid() | Ended():
            pass
        case _:
            assert_never(outcome)
    return htmx.go(url_for("purchases.show", purchase_id=purchase_id))


@bp.post("/<int:purchase_id>/stop")
@requires(Permission.BILLING_UPDATE)
def stop(purchase_id: int) -> Response:
    """Call it off; was it paid just now, the receipt says so."""
    waiting.stop(
        member().actor, purchase_id, session=database(), gateway=wiring().gateway, wall=wall()
    )
    return htmx.go(url_for("purchases.show", purchase_id=purchase_id))


def purchase_address(purchase_id: int) -> str:
    """The absolute address of a purchase's page, for those who lead back to it."""
    return wiring().settings.public_url + url_for("purchases.show", purchase_id=purchase_id)


def _brought_on(purchase_id: int) -> Response:
    actor, gateway = member().actor, wiring().gateway
    try:
        purchases.finish(actor, purchase_id, session=database(), gateway=gateway, wall=wall())
    except PaymentsUnavailable:
        flash(_("We could not ask how your payment stands. What you paid is not lost: check again"
                " in a minute."), "warning")  # fmt: skip
    return htmx.go(url_for("purchases.show", purchase_id=purchase_id))


def _cards(form: CardForm, purchase_id: int) -> CardForm:
    """The ways to pay; a card that was just declined is not chosen again by itself."""
    actor = member().actor
    attempt = get_purchase(database(), actor, purchase_id).attempt
    refused = attempt.card_id if attempt and attempt.declined else None
    return form.offering(saved_cards(database(), actor), refused)


def _bought(purchase: Purchase) -> tuple[str, str]:
    """The name of what is bought, and where its price is shown anew."""
    if purchase.kind == "plan":
        return purchase.plan_name, url_for("plans.index")
    instance = next(i for i in state().instances if i.id == purchase.instance_id)
    add_on = instance.add_on
    if purchase.kind == "quantity":
        return add_on.name, url_for("quantities.preview", instance_id=instance.id)
    return add_on.name, url_for("addons.preview", lookup_key=add_on.lookup_key)


def _page(purchase_id: int, status: int, form: CardForm | None = None) -> Response:
    forget_state()
    actor = member().actor
    purchase = get_purchase(database(), actor, purchase_id)
    what, anew = _bought(purchase)
    return htmx.page(
        "purchases/unfinished.html",
        "purchases/_unfinished.html",
        status,
        purchase=purchase,
        anew=anew,
        told=steps.told(purchase, what),
        form=form or _cards(CardForm(None), purchase_id),
        state=state(),
    )
