"""What a customer is told: reasons, ways out and problems, in their language."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.catalog import CapacityEnds, Price
from portal.domain.eligibility import Reason, Refusal, WayOut
from portal.domain.money import Money
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.spending import PassesCeiling
from portal.services.accepting import QuoteChanged
from portal.services.purchases import Refused
from portal.services.waiting import NoTimeForCheckout
from portal.web.forms.plans import ChangeForm
from portal.web.forms.purchase import PayForm
from portal.web.forms.quantities import RaiseForm
from portal.web.language import money, number, time
from portal.web.wiring import wiring


@dataclass(frozen=True, slots=True)
class Way:
    """A link out; url is empty when there is nothing to click."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why something cannot be bought, and the one way out."""

    reason: str
    way: Way

    @property
    def sentence(self) -> str:
        """The reason, and what to do where that is no link."""
        if not self.way.label or self.way.url:
            return f"{self.reason}."
        return f"{self.reason}. {self.way.label}."


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing was charged, and what to do. tone: warning or danger.

    shown: what the page had said would be due, where that no longer holds. way: out of it.
    """

    title: str
    message: str
    tone: str = "warning"
    shown: Money | None = None
    way: Way | None = None


def is_about_permission(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.reason is Reason.PERMISSION


def way_out(refusal: Refusal) -> Blocked:
    """The sentence and the link for one refusal."""
    if refusal.reason is Reason.NOT_SOLD and refusal.instance_id:
        kept = _("No longer sold; what you have stays until you cancel it")
        return Blocked(kept, Way(_("Manage"), url_for("active.index", _anchor=_anchor(refusal))))
    return Blocked(_reason(refusal.reason), _way(refusal))


def _reason(reason: Reason) -> str:
    said: dict[Reason, str] = {
        Reason.NOT_SOLD: _("No longer sold"),
        Reason.OWNED: _("You have it already"),
        Reason.CANCELLING: _("You have it until it ends; keep it instead of buying it again"),
        Reason.PAYMENT_PENDING: _("A payment for it is not finished yet"),
        Reason.INCLUDED: _("Included in your plan"),
        Reason.PLAN: _("Not available on your plan"),
        Reason.CURRENCY: _("Not sold in your currency"),
        Reason.BILLING_PERIOD: _("Not sold for your plan's billing period"),
        Reason.RESET_PERIOD: _("Resets at another pace than your plan"),
        Reason.MOST_HELD: _("You have as many as one plan can hold"),
        Reason.NO_SUBSCRIPTION: _("You need a plan first"),
        Reason.TRIALING: _("Add-ons can be bought once your trial has ended"),
        Reason.PAST_DUE: _("An invoice is overdue"),
        Reason.SUSPENDED: _("Your plan is suspended"),
        Reason.TERM_OVER: _("Your plan is ending, and its last term is over"),
        Reason.RENEWING: _("Your plan is being renewed; try again in a few minutes"),
        Reason.PERMISSION: _("Your role may look but not buy"),
    }
    return said[reason]


def invoices_way() -> Way:
    return Way(_("See invoices"), url_for("invoices.index"))


def payment_way(purchase_id: int) -> Way:
    return Way(_("See the payment"), url_for("purchases.show", purchase_id=purchase_id))


def owner_way() -> Way:
    return Way(_("Ask an owner, admin or billing member of your account"), "")


def contact_way() -> Way:
    """To support, where the business has an address for it."""
    support = wiring().settings.support_email
    return Way(_("Ask us"), f"mailto:{support}") if support else Way("", "")


def _way(refusal: Refusal) -> Way:
    match refusal.way_out:
        case WayOut.MANAGE:
            anchor = _anchor(refusal) if refusal.instance_id else None
            return Way(_("Manage"), url_for("active.index", _anchor=anchor))
        case WayOut.KEEP:
            return Way(_("Keep it"), url_for("active.index", _anchor=_anchor(refusal)))
        case WayOut.INVOICES:
            return invoices_way()
        case WayOut.PLANS:
            return Way(_("See plans"), url_for("plans.index"))
        case WayOut.CONTACT:
            return contact_way()
        case WayOut.ASK_OWNER:
            return owner_way()
        case WayOut.PAYMENT if refusal.purchase_id:
            return payment_way(refusal.purchase_id)
        case WayOut.PAYMENT | WayOut.WAIT:
            return Way("", "")


def _anchor(refusal: Refusal) -> str:
    return f"instance-{refusal.instance_id}"


def problem_of(outcome: QuoteChanged | Refused | NoTimeForCheckout | PassesCeiling) -> Problem:
    """Why nothing was charged."""
    match outcome:
        case QuoteChanged():
            return _changed(outcome)
        case Refused():
            return _refused(outcome)
        case NoTimeForCheckout():
            return no_time_for_checkout(outcome)
        case PassesCeiling():
            return _passes_ceiling(outcome)


def no_time_for_checkout(outcome: NoTimeForCheckout) -> Problem:
    """A card typed now could pay for a period that is over by then."""
    return Problem(
        _("A new card cannot be used for this just now"),
        _("What you are buying ends at %(time)s, and a payment with a new card may take until"
          " then. Nothing was charged. Add the card under Payment methods first, or buy this"
          " after %(time)s.", time=time(outcome.over_at)),
    )  # fmt: skip


def _passes_ceiling(outcome: PassesCeiling) -> Problem:
    return Problem(
        _("This would pass your monthly ceiling of %(ceiling)s", ceiling=money(outcome.ceiling)),
        _("%(left)s of it is left this month, and this costs %(wanted)s. Nothing was charged.",
          left=money(outcome.left), wanted=money(outcome.wanted)),
        way=Way(_("See the ceiling"), url_for("recharge.index", _anchor="recharge-ceiling")),
    )  # fmt: skip


def bad_card() -> Problem:
    """The chosen card went while the page was open."""
    return Problem(
        _("That card is not saved any more"), _("Nothing was charged. Please choose another one.")
    )


def bad_token(form: PayForm | ChangeForm | RaiseForm) -> Problem:
    """A token that is missing, tampered with, another account's or for another add-on."""
    said = [str(error) for error in form.token.errors] or [_("This price is not valid any more.")]
    return Problem(
        _("Please check the price again"),
        _("%(why)s Nothing was charged. Here is the price as it is now.", why=said[0]),
    )


def _changed(outcome: QuoteChanged) -> Problem:
    if outcome.expired:
        return Problem(
            _("The price on that page had expired"),
            _("A price holds for 15 minutes. You saw %(old)s; below is the price as it is now."
              " Nothing was charged.", old=money(outcome.shown_due)),
            shown=outcome.shown_due,
        )  # fmt: skip
    return Problem(
        _("The price has changed since you opened the page"),
        _("You saw %(old)s; below is what it is now. Nothing was charged.",
          old=money(outcome.shown_due)),
        shown=outcome.shown_due,
    )  # fmt: skip


def _refused(outcome: Refused) -> Problem:
    if outcome.refusal is not None:
        blocked = way_out(outcome.refusal)
        return Problem(
            _("This cannot be bought now"), f"{blocked.reason}. " + _("Nothing was charged.")
        )
    return Problem(
        _("That is more than you can add"),
        ngettext(
            "You can add %(shown)s more. Nothing was charged.",
            "You can add %(shown)s more. Nothing was charged.",
            outcome.most or 0,
            shown=number(outcome.most or 0),
        ),
    )


def per(interval: Interval) -> str:
    """`/ month`, `/ year`, `every 2 weeks` … beside a price."""
    once: dict[BillingPeriod, str] = {
        BillingPeriod.DAILY: _("/ day"),
        BillingPeriod.WEEKLY: _("/ week"),
        BillingPeriod.MONTHLY: _("/ month"),
        BillingPeriod.QUARTERLY: _("/ quarter"),
        BillingPeriod.HALF_YEARLY: _("/ half-year"),
        BillingPeriod.ANNUAL: _("/ year"),
    }
    if interval.count == 1:
        return once[interval.period]
    count = number(interval.count)
    several: dict[BillingPeriod, str] = {
        BillingPeriod.DAILY: _("every %(count)s days", count=count),
        BillingPeriod.WEEKLY: _("every %(count)s weeks", count=count),
        BillingPeriod.MONTHLY: _("every %(count)s months", count=count),
        BillingPeriod.QUARTERLY: _("every %(count)s quarters", count=count),
        BillingPeriod.HALF_YEARLY: _("every %(count)s half-years", count=count),
        BillingPeriod.ANNUAL: _("every %(count)s years", count=count),
    }
    return several[interval.period]


def charged_note(price: Price) -> str:
    """What happens after the first charge, under a price."""
    if price.is_recurring:
        return _("Renews until you stop it")
    if price.capacity_ends is CapacityEnds.NEVER:
        return _("Charged once, never expires")
    return _("Charged once")
