"""What the page of a purchase says about where it stands, in words a customer can act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined
from portal.domain.purchases import Failure, Undeliverable
from portal.domain.refunds import Correction, RefundReason
from portal.queries.attempts import Attempt
from portal.queries.purchases import Purchase, Refunding, Step
from portal.web.language import money, time


@dataclass(frozen=True, slots=True)
class Told:
    """title: of the page. tone and sign: of its picture. alert: read out at once."""

    title: str
    message: str
    tone: str
    sign: str
    alert: bool = False


def told(purchase: Purchase, what: str) -> Told:
    """Where the purchase of `what` stands. Settled ones have a receipt instead."""
    match purchase.step:
        case Step.AT_CHECKOUT:
            return _at_checkout(purchase, what)
        case Step.AT_BANK:
            message = _("Confirm the payment of %(amount)s on your bank's page. Nothing was charged"
                        " yet.", amount=money(purchase.charged))  # fmt: skip
            title = _("Your bank wants to check that it is you")
            return Told(title, message, "orange", "shield-check")
        case Step.TO_PAY:
            return _to_pay(purchase)
        case Step.ENDED:
            return _ended(purchase, what)
        case Step.REFUNDED if purchase.refund:
            return _refunded(purchase.refund)
        case _:
            message = _("You have not been charged twice and will not be. As soon as the bank"
                        " confirms the payment, %(what)s is added to your plan.",
                        what=what)  # fmt: skip
            if purchase.begins:
                message = _("You have not been charged twice and will not be. As soon as the bank"
                            " confirms the payment, your %(what)s plan starts.",
                            what=what)  # fmt: skip
            title = _("We are waiting for your bank's answer")
            return Told(title, message, "orange", "clock")


def _at_checkout(purchase: Purchase, what: str) -> Told:
    message = _(
        "%(amount)s for %(what)s is kept for you; the payment page is open until %(time)s."
        " Nothing was charged yet.",
        amount=money(purchase.charged), what=what, time=time(_open_until(purchase)),
    )  # fmt: skip
    return Told(_("Your payment is not finished"), message, "orange", "credit-card")


def decline_words(declined: Declined) -> str:
    """The bank's answer in words a customer can act on."""
    said: dict[DeclineReason, str] = {
        DeclineReason.INSUFFICIENT_FUNDS: _("There is not enough money on the card."),
        DeclineReason.EXPIRED_CARD: _("The card has expired."),
        DeclineReason.INCORRECT_DETAILS: _("The card's details are not right."),
        DeclineReason.PROCESSING_ERROR: _("The payment could not be processed at the moment."),
        DeclineReason.NOT_SUPPORTED: _("The card cannot be used for this payment."),
        DeclineReason.AUTHENTICATION_FAILED: _("Your bank could not confirm that it was you."),
        DeclineReason.REFUSED: _("The bank declined the card and does not say why."),
    }
    again = (
        _("You can try again, or use another card.")
        if declined.may_retry
        else _("Please do not try this card again; use another one or ask your bank.")
    )
    return " ".join([said[declined.reason], _("Nothing was charged."), again])


def open_invoice_words(attempt: Attempt | None) -> str:
    """Why an open invoice is not paid, and what to do."""
    if attempt is not None and attempt.declined is not None:
        return decline_words(attempt.declined)
    if attempt is not None and attempt.status == "needs_authentication":
        return _("Your bank wants to check that it is you. Pay here, and confirm on its page.")
    if attempt is not None and attempt.status in ("started", "open"):
        return _("The payment is not finished; nothing was charged yet.")
    return _("No card was charged for it. Pay it here, and everything goes on.")


def refund_words(refund: Refunding) -> str:
    """Why money went back, and whether it has gone."""
    why: dict[RefundReason, str] = {
        Undeliverable.PAID_TWICE: _("It had been paid already."),
        Undeliverable.PERIOD_OVER: _("The period it was for had ended before it was paid."),
        Undeliverable.SUBSCRIPTION_ENDED: _("The plan it was for had ended before it was paid."),
        Undeliverable.NO_ROOM: _("Your plan holds as many as it can already."),
        Undeliverable.BALANCE_USED: _("The price had changed before it was paid."),
        Undeliverable.MOVED_ON: _("Your plan had changed otherwise before it was paid."),
        Undeliverable.LIMIT_REACHED: _("Your monthly limit had been reached before it was paid."),
        Correction.CREDITED: _("It was credited to you."),
        Correction.AT_PROCESSOR: _("It was credited to you."),
    }
    return " ".join([why[refund.reason], returned_words(refund)])


def returned_words(refund: Refunding) -> str:
    """Whether money that goes back has gone."""
    amount = money(refund.amount)
    if refund.kept:
        return _("Your bank did not take %(amount)s back: it is on your account balance now, and"
                 " pays your next charges.", amount=amount)  # fmt: skip
    if refund.failed:
        return _("Your bank did not take %(amount)s back; we will return it another way. Please"
                 " write to us.", amount=amount)  # fmt: skip
    if refund.finished:
        return _("%(amount)s was returned to your card; banks take 5 to 10 days to show it.",
                 amount=amount)  # fmt: skip
    return _("%(amount)s is on its way back to your card.", amount=amount)


def _open_until(purchase: Purchase) -> datetime:
    ends = purchase.attempt.open_until if purchase.attempt else None
    return ends or purchase.held_until


def _to_pay(purchase: Purchase) -> Told:
    attempt = purchase.attempt
    if attempt is not None and attempt.declined is not None:
        title = _("The payment did not go through")
        return Told(title, decline_words(attempt.declined), "red", "alert-circle", alert=True)
    if attempt is not None and attempt.status == "expired":
        title = _("The payment page has closed")
    else:
        title = _("Your payment is not finished")
    message = _("Nothing was charged. The price is kept for you until %(time)s.",
                time=time(purchase.held_until))  # fmt: skip
    return Told(title, message, "orange", "credit-card")


def _ended(purchase: Purchase, what: str) -> Told:
    of_plan = purchase.kind == "plan"
    nothing = _("Nothing was charged, and %(what)s was not added.", what=what)
    if of_plan:
        nothing = _("Nothing was charged, and your plan was not changed.")
    if purchase.begins:
        nothing = _("Nothing was charged, and no plan was started.")
    if purchase.failure is Failure.STOPPED:
        return Told(_("You stopped this purchase"), nothing, "gray", "ban")
    if purchase.failure is Failure.LAPSED:
        late = _("The time to pay at that price is over.")
        return Told(_("This purchase has expired"), f"{late} {nothing}", "gray", "clock")
    if purchase.failure is Failure.UNDELIVERABLE:
        late = _("The period it was for has ended.")
        title = _("This can no longer be added")
        if of_plan:
            late = _("Your plan or its period is not what it was.")
            title = _("This change is no longer possible")
        if purchase.begins:
            late = _("Its period is over, or another plan has begun since.")
            title = _("This plan can no longer start")
        return Told(title, f"{late} {nothing}", "gray", "clock")
    return Told(_("The payment did not go through"), nothing, "red", "alert-circle", alert=True)


def _refunded(refund: Refunding) -> Told:
    title = _("Your payment was returned")
    if refund.failed:
        title = _("Your payment could not be returned")
    elif not refund.finished:
        title = _("Your payment is being returned")
    return Told(title, refund_words(refund), "orange", "receipt", alert=True)
