"""What is said about quantities: why not, and what the button does."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.quantity_changes import QuantityQuote, QuantityReason
from portal.domain.spending import PassesCeiling
from portal.queries.quantities import QuantityRefusal
from portal.services.accepting import QuoteChanged
from portal.services.quantities import QuantityRefused
from portal.services.waiting import NoTimeForCheckout
from portal.web.language import date, money, number
from portal.web.words import Blocked, Problem, Way, invoices_way, owner_way, payment_way, problem_of


def quantity_blocked(refusal: QuantityRefusal) -> Blocked:
    """The sentence and the link for one refusal."""
    said: dict[QuantityReason, str] = {
        QuantityReason.NOT_RECURRING: _("It is charged once; buy it again to have more"),
        QuantityReason.NOT_ACTIVE: _("It is not in force now"),
        QuantityReason.CANCELLING: _("It is not renewed; keep it, or your plan, first"),
        QuantityReason.SAME: _("This is what you have"),
        QuantityReason.TOO_FEW: _("To have none, cancel it"),
        QuantityReason.MOST_HELD: _("That is more than one plan can hold"),
        QuantityReason.NOT_SOLD: _("No longer sold: what you have stays, and can get fewer"),
        QuantityReason.NOT_NOW: _("Nothing can be added now: see your invoices"),
        QuantityReason.RENEWING: _("It is being renewed; try again in a few minutes"),
        QuantityReason.PAYMENT_PENDING: _("A payment for more of it is not finished yet"),
        QuantityReason.PERMISSION: _("Your role may look but not change it"),
    }
    return Blocked(said[refusal.reason], _way(refusal))


def _way(refusal: QuantityRefusal) -> Way:
    match refusal.reason:
        case QuantityReason.NOT_NOW:
            return invoices_way()
        case QuantityReason.PAYMENT_PENDING if refusal.purchase_id:
            return payment_way(refusal.purchase_id)
        case QuantityReason.PERMISSION:
            return owner_way()
        case _:
            return Way("", "")


def quantity_problem(
    outcome: QuantityRefused | QuoteChanged | NoTimeForCheckout | PassesCeiling,
) -> Problem:
    """Why nothing was charged."""
    if isinstance(outcome, QuantityRefused):
        blocked = quantity_blocked(outcome.refusal)
        message = f"{blocked.reason}. " + _("Nothing was charged.")
        return Problem(_("The quantity cannot be changed so now"), message)
    return problem_of(outcome)


def quantity_label(quote: QuantityQuote) -> str:
    """What the button does, and the amount it costs."""
    quantity = number(quote.request.quantity)
    if quote.due.charged:
        return _("Pay %(amount)s now", amount=money(quote.due.charged))
    if quote.due.carried_out:
        amount = money(quote.due.carried_out)
        return _("Change to %(quantity)s – %(amount)s on your next invoice",
                 quantity=quantity, amount=amount)  # fmt: skip
    if quote.effective_at > quote.at:
        return _("Change to %(quantity)s on %(date)s", quantity=quantity,
                 date=date(quote.effective_at))  # fmt: skip
    if quote.lines:
        return _("Change to %(quantity)s", quantity=quantity)
    return _("Keep %(quantity)s", quantity=quantity)
