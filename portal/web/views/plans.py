"""The plans side by side, the quote of a change, and the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.capacity import MONTH
from portal.domain.catalog import Plan
from portal.domain.plan_changes import PlanQuote, PlanRequest
from portal.domain.plan_moves import PlanReason
from portal.domain.spending import PassesCeiling
from portal.domain.throttle import PREVIEW, PURCHASE
from portal.queries import plans as queries
from portal.queries.billing import next_bills
from portal.queries.cancelling import get_ending
from portal.queries.cards import saved_cards
from portal.queries.consents import consents_to
from portal.queries.contracts import plan_contract
from portal.queries.plans import BillsAhead, PlanRefusal
from portal.queries.use_then import UseThen, use_then
from portal.services import cancelling, plans
from portal.services.accepting import QuoteChanged
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid
from portal.services.plans import Agreed, CannotChange, PlanOutcome
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import Paying
from portal.web import htmx, words
from portal.web.access import requires
from portal.web.agreeing import Deal, objection, pressed
from portal.web.deals import plan_deal
from portal.web.forms.cards import CardForm
from portal.web.forms.instances import CancelForm
from portal.web.forms.plans import (
    CYCLES,
    ChangeForm,
    CycleForm,
    cycle_of,
    interval_of,
    write_change_token,
)
from portal.web.language import date
from portal.web.pacing import paced
from portal.web.plan_sentences import problem_with
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.views.purchases import purchase_address
from portal.web.wiring import wiring
from portal.web.words import Problem

bp = Blueprint("plans", __name__, url_prefix="/settings/billing/plans")


@dataclass(frozen=True, slots=True)
class ChangePage:
    """What the quote page shows. quote, deal, token: None when the plan cannot be changed so.

    needless: add-ons that the plan would leave without a use. uses: what use beyond the allowance
    will cost.
    """

    plan: Plan
    cycle: str
    cycle_words: str
    refusal: PlanRefusal | None
    quote: PlanQuote | None
    deal: Deal | None
    token: str | None
    pay_with: CardForm
    needless: tuple[str, ...]
    bills: BillsAhead | None
    uses: tuple[UseThen, ...]


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    subscription, actor = state().subscription, member().actor
    intervals = queries.intervals(state())
    own = subscription.cycle.interval if subscription else MONTH
    form = CycleForm(request.args).offering(intervals, own)
    return htmx.page(
        "plans/index.html",
        "plans/_offers.html",
        form=form,
        offers=queries.offers(state(), actor, form.interval),
        compared=queries.compared(state(), form.interval),
        next_bills=next_bills(state()),
        contract=plan_contract(database(), actor.scope, state()),
        state=state(),
    )


@bp.get("/<lookup_key>/<cycle>")
@requires(Permission.BILLING_READ)
@paced(PREVIEW)
def preview(lookup_key: str, cycle: str) -> Response:
    return _page(PlanRequest(lookup_key, interval_of(cycle)), 200)


@bp.post("/<lookup_key>/<cycle>")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def change(lookup_key: str, cycle: str) -> Response:
    wanted = PlanRequest(lookup_key, interval_of(cycle))
    form = ChangeForm().of(member().actor, wanted)
    if not form.validate():
        return _page(wanted, 422, words.bad_token(form))
    if unread := objection(form.accepted.agreed):
        return _page(wanted, 422, unread)
    cards = CardForm().offering(saved_cards(database(), member().actor))
    if not cards.validate():
        return _page(wanted, 422, words.bad_card())
    outcome = plans.change(
        member().actor,
        form.accepted,
        Paying(cards.choice, purchase_address),
        session=database(),
        gateway=wiring().gateway,
        wall=wall(),
    )
    forget_state()
    return _answer(wanted, outcome)


@bp.post("/withdraw")
@requires(Permission.BILLING_UPDATE)
def withdraw() -> Response:
    """Take back what was agreed for the end of the term."""
    taken = plans.withdraw(
        member().actor, session=database(), gateway=wiring().gateway, wall=wall()
    )
    if taken:
        flash(_("Your plan stays as it is."), "success")
    else:
        flash(_("There was no change to withdraw any more."), "info")
    return htmx.go(url_for("plans.index"))


@bp.get("/cancel")
@requires(Permission.BILLING_READ)
def cancel() -> Response:
    return _cancel_page(CancelForm(), 200)


@bp.post("/cancel")
@requires(Permission.BILLING_UPDATE)
def confirm_cancel() -> Response:
    form = CancelForm()
    if not form.validate():
        return _cancel_page(form, 422)
    ends_at = cancelling.cancel_plan(
        member().actor,
        form.reason.data or "",
        session=database(),
        gateway=wiring().gateway,
        wall=wall(),
    )
    flash(_("Your plan ends on %(date)s.", date=date(ends_at)), "success")
    return htmx.go(url_for("plans.index"))


@bp.post("/keep")
@requires(Permission.BILLING_UPDATE)
def keep() -> Response:
    """Undo it, while the term runs."""
    agreed = pressed("plan")
    if isinstance(agreed, Problem):
        flash(f"{agreed.title}. {agreed.message}", "warning")
        return htmx.go(url_for("plans.index", _anchor="plans-ending"))
    renews_at = cancelling.keep_plan(
        member().actor, session=database(), gateway=wiring().gateway, wall=wall(), agreed=agreed
    )
    if renews_at is None:
        flash(_("The term of your plan is over; it can no longer be kept."), "info")
    else:
        flash(_("Your plan goes on and renews on %(date)s.", date=date(renews_at)), "success")
    return htmx.go(url_for("plans.index"))


def _cancel_page(form: CancelForm, status: int) -> Response:
    """What ends, when and for how much; back to the plans where that is decided already."""
    subscription = state().subscription
    if subscription is None:
        return htmx.go(url_for("plans.index"))
    ending = get_ending(state())
    if ending.is_agreed:
        return htmx.go(url_for("plans.index"))
    return htmx.page(
        "plans/cancel.html",
        "plans/_cancel.html",
        status,
        form=form,
        ending=ending,
        contract=plan_contract(database(), member().actor.scope, state()),
        consents=consents_to(database(), member().actor, f"subscription:{subscription.id}"),
        state=state(),
    )


def _answer(wanted: PlanRequest, outcome: PlanOutcome) -> Response:
    match outcome:
        case Settled(purchase_id) | Pending(purchase_id) | Unpaid(purchase_id) | Ended(purchase_id):
            return htmx.go(url_for("purchases.show", purchase_id=purchase_id))
        case NeedsCheckout(_id, url):
            return htmx.go(url)
        case Agreed(effective_at):
            flash(_("Your plan changes on %(date)s.", date=date(effective_at)), "success")
            return htmx.go(url_for("plans.index"))
        case CannotChange() | QuoteChanged() | NoTimeForCheckout() | PassesCeiling():
            return _page(wanted, 422, problem_with(outcome))
        case _:
            assert_never(outcome)


def _page(wanted: PlanRequest, status: int, problem: Problem | None = None) -> Response:
    """The quote as it is now, with what was wrong with the last one."""
    return htmx.page(
        "plans/change.html",
        "plans/_change.html",
        status,
        shown=_shown(wanted),
        problem=problem,
        state=state(),
    )


def _shown(wanted: PlanRequest) -> ChangePage:
    actor = member().actor
    target = queries.get_plan(state(), wanted.plan)
    refusal = queries.refusal(state(), actor, target, wanted.interval)
    quote = None
    if refusal is None or refusal.reason is PlanReason.PERMISSION:
        quote = plans.offer(database(), actor, state(), wanted)
    deal, token = plan_deal(quote) if quote else None, None
    if quote and deal and refusal is None:
        token = write_change_token(quote, actor, wall(), deal.words)
    return ChangePage(
        plan=target,
        cycle=cycle_of(wanted.interval),
        cycle_words=str(CYCLES[wanted.interval.period]),
        refusal=refusal,
        quote=quote,
        deal=deal,
        token=token,
        pay_with=CardForm(None).offering(saved_cards(database(), actor)),
        needless=queries.needless(state(), target),
        bills=queries.bills_ahead(database(), actor.scope, state(), quote, target)
        if quote
        else None,
        uses=use_then(state(), quote) if quote else (),
    )
