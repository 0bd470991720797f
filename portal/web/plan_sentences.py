"""What is said about plans: why not, what becomes of add-ons, what a plan grants."""

from __future__ import annotations

from decimal import Decimal

from flask import url_for
from flask_babel import gettext as _

from portal.domain.catalog import Entitlement, FeatureType, Plan
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.plan_changes import PlanQuote
from portal.domain.plan_limits import gained
from portal.domain.plan_moves import Fate, Move, PlanReason, Timing
from portal.domain.proration import charge
from portal.domain.spending import PassesCeiling
from portal.queries.accounts import AccountState
from portal.queries.plans import PlanOffer, PlanRefusal
from portal.services.accepting import QuoteChanged
from portal.services.plans import CannotChange
from portal.services.waiting import NoTimeForCheckout
from portal.web.language import date, money
from portal.web.sentences import units_of
from portal.web.words import (
    Blocked,
    Problem,
    Way,
    contact_way,
    invoices_way,
    owner_way,
    payment_way,
    per,
    problem_of,
)


def plan_blocked(refusal: PlanRefusal) -> Blocked:
    """The sentence and the link for one refusal."""
    said: dict[PlanReason, str] = {
        PlanReason.NO_SUBSCRIPTION: _("You have no plan that could be changed"),
        PlanReason.SAME: _("This is your plan"),
        PlanReason.NOT_SOLD: _("No longer sold"),
        PlanReason.NO_PRICE: _("Not sold for this cycle in your currency"),
        PlanReason.TRIALING: _("Plans can be changed once your trial has ended"),
        PlanReason.PAST_DUE: _("An invoice is overdue"),
        PlanReason.SUSPENDED: _("Your plan is suspended"),
        PlanReason.RENEWING: _("Your plan is being renewed; try again in a few minutes"),
        PlanReason.PAYMENT_PENDING: _("A payment for a plan is not finished yet"),
        PlanReason.AGREED: _("Your plan changes to this one already"),
        PlanReason.CANCELLING: _("Your plan is cancelled; keep it to change it"),
        PlanReason.PERMISSION: _("Your role may look but not change the plan"),
        PlanReason.CLOSING: _("Your last plan is being closed; try again in a few minutes"),
        PlanReason.UNPAID: _("An invoice is open; once it is paid you can start again"),
    }
    return Blocked(said[refusal.reason], _way(refusal))


def _way(refusal: PlanRefusal) -> Way:
    match refusal.reason:
        case PlanReason.PAST_DUE | PlanReason.SUSPENDED:
            return invoices_way()
        case PlanReason.PAYMENT_PENDING if refusal.purchase_id:
            return payment_way(refusal.purchase_id)
        case PlanReason.UNPAID if refusal.invoice:
            return Way(_("Pay invoice"), url_for("invoices.show", number=refusal.invoice))
        case PlanReason.NO_SUBSCRIPTION:
            return contact_way()
        case PlanReason.CANCELLING:
            return Way(_("See your plan"), url_for("plans.index", _anchor="plans-ending"))
        case PlanReason.PERMISSION:
            return owner_way()
        case _:
            return Way("", "")


def problem_with(
    outcome: CannotChange | QuoteChanged | NoTimeForCheckout | PassesCeiling,
) -> Problem:
    """Why nothing was charged."""
    if isinstance(outcome, CannotChange):
        blocked = plan_blocked(outcome.refusal)
        message = f"{blocked.reason}. " + _("Nothing was charged.")
        begins = outcome.refusal.reason in (PlanReason.CLOSING, PlanReason.UNPAID)
        title = _("No plan can start now") if begins else _("The plan cannot be changed now")
        return Problem(title, message)
    return problem_of(outcome)


def offer_label(offer: PlanOffer, state: AccountState) -> str:
    """What the link to the quote says."""
    own, price = state.subscription, offer.price
    if state.former is not None:
        return _("Start again") if state.former.plan_id == offer.plan.id else _("Choose")
    if own is not None and own.plan.id == offer.plan.id:
        interval = price.interval if price else None
        named = {BillingPeriod.MONTHLY: _("Pay monthly"), BillingPeriod.ANNUAL: _("Pay annually")}
        return named.get(interval.period, _("Change cycle")) if interval else _("Change cycle")
    lower = own is not None and offer.plan.sort < own.plan.sort
    if lower is not (offer.timing is Timing.AT_TERM_END):
        return _("Change plan")
    return _("Downgrade") if lower else _("Upgrade")


def change_label(quote: PlanQuote) -> str:
    """What the button of the quote page says."""
    if quote.timing is Timing.AT_TERM_END:
        return _("Change on %(date)s", date=date(quote.effective_at))
    if quote.due.charged:
        return _("Pay %(amount)s now", amount=money(quote.due.charged))
    if quote.begins and quote.due.carried_out:
        return _("Start plan – %(amount)s on your next invoice",
                 amount=money(quote.due.carried_out))  # fmt: skip
    if quote.begins:
        return _("Start plan")
    if quote.due.carried_out:
        return _("Change plan – %(amount)s on your next invoice",
                 amount=money(quote.due.carried_out))  # fmt: skip
    return _("Change plan")


def fate_words(move: Move, quote: PlanQuote) -> str:
    """What becomes of one add-on."""
    match move.fate:
        case Fate.ENDS if move.ends_at:
            return _("Ends on %(date)s; the plan does not allow it", date=date(move.ends_at))
        case Fate.CANCELLING if move.ends_at:
            return _("Ends on %(date)s, as it would anyway", date=date(move.ends_at))
        case Fate.SWITCHES:
            when = _("now") if quote.timing is Timing.NOW else date(quote.effective_at)
            return _("Switches to %(price)s, from %(when)s", price=_priced(move, quote), when=when)
        case Fate.STARTS_SWITCHED:
            return _("Starts as agreed, at %(price)s", price=_priced(move, quote))
        case Fate.KEEPS_PERIOD:
            return _(
                "Has no price for the new cycle: goes on at %(price)s", price=_priced(move, quote)
            )
        case _:
            return _("Carries on at %(price)s", price=_priced(move, quote))


def _priced(move: Move, quote: PlanQuote) -> str:
    price = move.price
    if price is None:
        return "–"
    amount = charge(price, Decimal(move.quantity), None, quote.at)
    return f"{money(amount)} {per(price.interval)}" if price.interval else money(amount)


def gained_words(state: AccountState, target: Plan) -> list[str]:
    """What a change to `target` brings beside units to use up, a line each."""
    if state.subscription is None:
        return []
    more = gained(state.subscription.plan, target)
    return [f"{each.feature.name}: {granted_words(each)}" for each in more]


def granted_words(entitlement: Entitlement) -> str:
    """What a plan grants of one feature, in a cell of the matrix."""
    feature = entitlement.feature
    if feature.type is not FeatureType.METERED:
        return entitlement.static_value or _("Included")
    if entitlement.usage_limit is None:
        return _("Unlimited")
    amount = units_of(feature, entitlement.usage_limit).removeprefix(f"{feature.name}: ")
    if not feature.is_consumed:
        return amount
    pace = per(Interval(entitlement.usage_reset_period or BillingPeriod.MONTHLY))
    return f"{amount} {pace}"
