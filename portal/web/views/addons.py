"""The add-ons grid, the confirm page with its live preview, and the purchase itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from flask import Blueprint, Response, request, url_for

from portal.domain.access import Permission
from portal.domain.quotes import Quote
from portal.domain.spending import PassesCeiling
from portal.domain.throttle import PREVIEW, PURCHASE
from portal.queries import addons as queries
from portal.queries.addons import Card
from portal.queries.cards import saved_cards
from portal.queries.use_pace import UsePace, use_paces
from portal.services import purchases
from portal.services.accepting import QuoteChanged
from portal.services.capacity import open_windows_now
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.purchases import PurchaseOutcome, Refused
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying
from portal.web import htmx, words
from portal.web.access import requires
from portal.web.agreeing import Deal, objection
from portal.web.deals import add_on_deal
from portal.web.forms.cards import CardForm
from portal.web.forms.filters import FilterForm
from portal.web.forms.purchase import OFF, ON, OptionsForm, PayForm, write_token
from portal.web.pacing import paced
from portal.web.receipts import receipt_page
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.views.purchases import purchase_address
from portal.web.wiring import wiring
from portal.web.words import Problem

bp = Blueprint("addons", __name__, url_prefix="/settings/billing/add-ons")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the confirm page shows. quote, deal, token: None when it cannot be bought as asked.

    paces: what its prices for use would come to.
    """

    card: Card
    options: OptionsForm
    quote: Quote | None
    deal: Deal | None
    token: str | None
    pay_with: CardForm
    paces: tuple[UsePace, ...] = ()


@bp.get("")
@requires(Permission.BILLING_READ)
def grid() -> Response:
    cards = queries.all_cards(state(), member().actor)
    form = FilterForm(request.args).offering(queries.categories(cards))
    return htmx.page(
        "addons/grid.html",
        "addons/_cards.html",
        form=form,
        cards=queries.filtered(cards, form.filters()),
        state=state(),
    )


@bp.get("/<lookup_key>/purchase")
@requires(Permission.BILLING_READ)
@paced(PREVIEW)
def preview(lookup_key: str) -> Response:
    offer = _offer(lookup_key, asked=bool(request.args))
    status = 422 if offer.options.errors else 200
    return htmx.page(
        "addons/purchase.html", "addons/_preview.html", status, **_context(offer, None)
    )


@bp.post("/<lookup_key>/purchase")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def pay(lookup_key: str) -> Response:
    form = PayForm().of(member().actor, lookup_key)
    if not form.validate():
        return _again(lookup_key, words.bad_token(form))
    if unread := objection(form.accepted.agreed):
        return _again(lookup_key, unread, form)
    cards = CardForm().offering(saved_cards(database(), member().actor))
    if not cards.validate():
        return _again(lookup_key, words.bad_card(), form)
    outcome = purchases.confirm(
        member().actor,
        form.accepted,
        Paying(cards.choice, purchase_address),
        session=database(),
        gateway=wiring().gateway,
        wall=wall(),
    )
    forget_state()
    return _answer(lookup_key, outcome, form)


def _answer(lookup_key: str, outcome: PurchaseOutcome, form: PayForm) -> Response:
    match outcome:
        case Settled(purchase_id):
            return _receipt(purchase_id)
        case NeedsCheckout(_, url):
            return htmx.go(url)
        case Pending(purchase_id) | Unpaid(purchase_id) | Ended(purchase_id):
            return htmx.go(url_for("purchases.show", purchase_id=purchase_id))
        case QuoteChanged() | Refused() | NoTimeForCheckout() | PassesCeiling():
            return _again(lookup_key, words.problem_of(outcome), form)
        case _:
            assert_never(outcome)


def _receipt(purchase_id: int) -> Response:
    """Browsers go to the receipt; htmx has it, with the raised meter, in this very response."""
    url = url_for("purchases.show", purchase_id=purchase_id)
    if not htmx.wants_partial():
        return htmx.go(url)
    return receipt_page(purchase_id, push_url=url)


def _again(lookup_key: str, problem: Problem, form: PayForm | None = None) -> Response:
    """The confirm page once more, with what was wrong and a fresh price; nothing was charged."""
    offer = _offer(lookup_key, asked=False, form=form)
    return htmx.page(
        "addons/purchase.html", "addons/_confirmation.html", 422, **_context(offer, problem)
    )


def _offer(lookup_key: str, *, asked: bool, form: PayForm | None = None) -> Offer:
    actor = member().actor
    card = queries.get_card(state(), actor, lookup_key)
    options = _options(form).limit(card.most, may_wait=card.may_wait)
    sound = options.validate() if asked else True
    quote = None
    if card.price is not None and sound and (card.refusal is None or _looks(card)):
        quote = purchases.offer(state(), options.request_for(lookup_key))
    pay_with = CardForm(None).offering(saved_cards(database(), actor))
    deal, token = add_on_deal(quote) if quote else None, None
    if quote and deal and card.refusal is None:
        token = write_token(quote, actor, wall(), deal.words)
    return Offer(card, options, quote, deal, token, pay_with, _paces(quote))


def _paces(quote: Quote | None) -> tuple[UsePace, ...]:
    if quote is None or not quote.usage_prices:
        return ()
    open_windows_now(database(), member().actor.scope, state())
    return use_paces(database(), member().actor.scope, state(), quote)


def _options(form: PayForm | None) -> OptionsForm:
    """As the refused form had them, else as the URL asks."""
    accepted = getattr(form, "accepted", None)
    if accepted is None:
        return OptionsForm(request.args if request.method == "GET" else None)
    given = accepted.request
    renews = ON if given.auto_renew else OFF
    return OptionsForm(
        None,
        quantity=given.quantity,
        auto_renew=renews,
        start=given.start,
        proposal=given.proposal_id,
    )


def _looks(card: Card) -> bool:
    """A member who may only look still sees what it would cost."""
    return words.is_about_permission(card.refusal)


def _context(offer: Offer, problem: Problem | None) -> dict[str, Any]:
    return {"offer": offer, "problem": problem, "state": state()}
