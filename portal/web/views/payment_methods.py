"""The saved cards: adding one on the processor's page, the default, and removing."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.cards import today_in
from portal.domain.errors import NotFound
from portal.domain.throttle import PURCHASE
from portal.queries import cards as queries
from portal.queries.cards import ListedCard
from portal.queries.overdue import untried
from portal.services import card_choices, card_entry
from portal.services.card_choices import Expired, Removed
from portal.services.card_entry import Lapsed, Unfinished
from portal.services.till import till_of
from portal.web import htmx
from portal.web.access import requires
from portal.web.card_sentences import chosen, entered
from portal.web.pacing import paced
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.sentences import card_words
from portal.web.wiring import wiring

bp = Blueprint("payment_methods", __name__, url_prefix="/settings/billing/payment-methods")

PAGE_REFERENCE = re.compile(r"\w{1,255}", re.ASCII)


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return htmx.page("payment_methods/index.html", "payment_methods/_list.html", **_context())


@bp.post("/add")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def add() -> Response:
    """To the processor's page; htmx leaves for it too."""
    public = wiring().settings.public_url
    return htmx.go(
        card_entry.begin_entry(
            member().actor,
            f"{public}{url_for('.come_back')}?session_id={{CHECKOUT_SESSION_ID}}",
            f"{public}{url_for('.index')}",
            session=database(),
            gateway=wiring().gateway,
            wall=wall(),
        )
    )


@bp.get("/return")
@requires(Permission.BILLING_READ)
def come_back() -> Response:
    """Where the processor's page leads: whoever looks, its state is only asked for and applied."""
    reference = request.args.get("session_id", "")
    if not PAGE_REFERENCE.fullmatch(reference):
        raise NotFound("page")
    till = till_of(member().actor, database(), wiring().gateway, wall())
    outcome = card_entry.finish_entry(till, reference)
    if isinstance(outcome, (Unfinished, Lapsed)):
        url = outcome.url if isinstance(outcome, Unfinished) else None
        state()
        return htmx.page("payment_methods/entry.html", "payment_methods/_entry.html", url=url)
    flash(entered(outcome), "success")
    _tell_of_overdue()
    return htmx.go(url_for(".index"))


@bp.post("/<int:card_id>/default")
@requires(Permission.BILLING_UPDATE)
def make_default(card_id: int) -> Response:
    outcome = card_choices.make_default(
        member().actor, card_id, session=database(), gateway=wiring().gateway, wall=wall()
    )
    forget_state()
    flash(chosen(outcome), "warning" if isinstance(outcome, Expired) else "success")
    _tell_of_overdue()
    if not htmx.wants_partial():
        return htmx.go(url_for(".index", _anchor=f"card-{card_id}"))
    return htmx.partials("payment_methods/_list.html", "layouts/_flash.html", **_context())


@bp.get("/<int:card_id>/remove")
@requires(Permission.BILLING_READ)
def remove(card_id: int) -> Response:
    return _remove_page(_card(card_id), 200)


@bp.post("/<int:card_id>/remove")
@requires(Permission.BILLING_UPDATE)
def confirm_remove(card_id: int) -> Response:
    outcome = card_choices.remove(
        member().actor, card_id, session=database(), gateway=wiring().gateway, wall=wall()
    )
    if not isinstance(outcome, Removed):
        return _remove_page(_card(card_id), 422)
    said = card_words(outcome.card.brand, outcome.card.last4)
    flash(_("%(card)s was removed.", card=said), "success")
    return htmx.go(url_for(".index"))


def _tell_of_overdue() -> None:
    actor = member().actor
    if untried(database(), actor.scope, actor.account_id):
        flash(_("What is overdue is charged to it now; that takes a moment."), "info")


def _remove_page(listed: ListedCard, status: int) -> Response:
    return htmx.page(
        "payment_methods/remove.html",
        "payment_methods/_remove.html",
        status,
        listed=listed,
        state=state(),
    )


def _card(card_id: int) -> ListedCard:
    today = today_in(state().account.zone, wall())
    return queries.get_card(database(), member().actor, card_id, state(), today)


def _context() -> dict[str, Any]:
    today = today_in(state().account.zone, wall())
    return {
        "cards": queries.listed_cards(database(), member().actor, state(), today),
        "renewals": queries.renewals(state()),
        "state": state(),
    }
