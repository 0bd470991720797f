"""Another quantity of what renews: its quote, and the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.bills import Bill
from portal.domain.errors import Conflict
from portal.domain.plan_limits import Misfit
from portal.domain.quantity_changes import QuantityQuote, QuantityReason, QuantityRequest
from portal.domain.spending import PassesCeiling
from portal.domain.throttle import PREVIEW, PURCHASE
from portal.queries import quantities as queries
from portal.queries.active import wont_fit
from portal.queries.cards import saved_cards
from portal.queries.quantities import QuantityRefusal
from portal.queries.subscriptions import Instance
from portal.services import quantities
from portal.services.accepting import QuoteChanged
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.instances import find_instance
from portal.services.quantities import QuantityAgreed, QuantityOutcome, QuantityRefused
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying
from portal.web import htmx, words
from portal.web.access import requires
from portal.web.agreeing import Deal, objection
from portal.web.deals import quantity_deal
from portal.web.forms.cards import CardForm
from portal.web.forms.quantities import QuantityForm, RaiseForm, write_quantity_token
from portal.web.language import date, number
from portal.web.pacing import paced
from portal.web.quantity_sentences import quantity_problem
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.views.purchases import purchase_address
from portal.web.wiring import wiring
from portal.web.words import Problem

bp = Blueprint("quantities", __name__, url_prefix="/settings/billing/add-ons/active")


@dataclass(frozen=True, slots=True)
class QuantityPage:
    """What the page shows. quote, deal: None when the quantity cannot be had, or is none."""

    instance: Instance
    form: QuantityForm
    refusal: QuantityRefusal | None
    quote: QuantityQuote | None
    deal: Deal | None
    token: str | None
    pay_with: CardForm
    misfits: tuple[Misfit, ...]
    changed: tuple[Bill, ...]
    unchanged: tuple[Bill, ...]


@bp.get("/<int:instance_id>/quantity")
@requires(Permission.BILLING_READ)
@paced(PREVIEW)
def preview(instance_id: int) -> Response:
    shown = _shown(instance_id, QuantityForm(request.args or None), asked=bool(request.args))
    status = 422 if shown.form.errors else 200
    return htmx.page(
        "quantities/change.html", "quantities/_quote.html", status,
        shown=shown, problem=None, state=state(),
    )  # fmt: skip


@bp.post("/<int:instance_id>/quantity")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def change(instance_id: int) -> Response:
    form = RaiseForm().of(member().actor, instance_id)
    if not form.validate():
        return _again(instance_id, words.bad_token(form), None)
    wanted = form.accepted.request.quantity
    if unread := objection(form.accepted.agreed):
        return _again(instance_id, unread, wanted)
    cards = CardForm().offering(saved_cards(database(), member().actor))
    if not cards.validate():
        return _again(instance_id, words.bad_card(), wanted)
    outcome = quantities.change(
        member().actor,
        form.accepted,
        Paying(cards.choice, purchase_address),
        session=database(),
        gateway=wiring().gateway,
        wall=wall(),
    )
    forget_state()
    return _answer(instance_id, wanted, outcome)


def _answer(instance_id: int, wanted: int, outcome: QuantityOutcome) -> Response:
    match outcome:
        case Settled(purchase_id) | Pending(purchase_id) | Unpaid(purchase_id) | Ended(purchase_id):
            return htmx.go(url_for("purchases.show", purchase_id=purchase_id))
        case NeedsCheckout(_id, url):
            return htmx.go(url)
        case QuantityAgreed(quantity, effective_at):
            name = find_instance(state(), instance_id).add_on.name
            said = {"what": name, "quantity": number(quantity), "date": date(effective_at)}
            later = effective_at > state().now
            flash(_("%(what)s: %(quantity)s from %(date)s on.", **said) if later
                  else _("%(what)s: you keep %(quantity)s.", **said), "success")  # fmt: skip
            return htmx.go(url_for("active.index", _anchor=f"instance-{instance_id}"))
        case QuantityRefused() | QuoteChanged() | NoTimeForCheckout() | PassesCeiling():
            return _again(instance_id, quantity_problem(outcome), wanted)
        case _:
            assert_never(outcome)


def _again(instance_id: int, problem: Problem, wanted: int | None) -> Response:
    """The page once more, with what was wrong and a fresh price; nothing was charged."""
    form = QuantityForm(None, quantity=wanted)
    shown = _shown(instance_id, form, asked=False)
    return htmx.page(
        "quantities/change.html", "quantities/_change.html", 422,
        shown=shown, problem=problem, state=state(),
    )  # fmt: skip


def _shown(instance_id: int, form: QuantityForm, *, asked: bool) -> QuantityPage:
    actor, instance = member().actor, find_instance(state(), instance_id)
    if not instance.price.is_recurring:
        raise Conflict("only what renews has a quantity that can be changed")
    form.limit(instance.quantity, queries.most_units(state(), instance))
    if form.quantity.data is None and not asked:
        form.quantity.data = instance.next_quantity or instance.quantity
    sound = form.validate() if asked else True
    quantity = int(form.quantity.data or 0) if sound else 0
    refusal = queries.refusal(state(), actor, instance, quantity) if quantity else None
    quote = None
    if quantity and (refusal is None or refusal.reason is QuantityReason.PERMISSION):
        quote = quantities.offer(state(), QuantityRequest(instance_id, quantity))
    deal, token = quantity_deal(quote) if quote else None, None
    if quote and deal and refusal is None:
        token = write_quantity_token(quote, actor, wall(), deal.words)
    return QuantityPage(
        instance=instance,
        form=form,
        refusal=refusal,
        quote=quote,
        deal=deal,
        token=token,
        pay_with=CardForm(None).offering(saved_cards(database(), actor)),
        misfits=_misfits(instance, quote) if quote else (),
        changed=queries.bills_ahead(state(), instance, quote) if quote else (),
        unchanged=queries.bills_unchanged(state()) if quote else (),
    )


def _misfits(instance: Instance, quote: QuantityQuote) -> tuple[Misfit, ...]:
    scope, quantity = member().actor.scope, quote.request.quantity
    return wont_fit(database(), scope, state(), instance, quote.effective_at, quantity)
