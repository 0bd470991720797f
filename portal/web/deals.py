"""Each paying button: what it obliges to, and its words where no law asks for more."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from portal.domain.legal import TERMS, Duty, Words
from portal.domain.money import Money
from portal.domain.plan_changes import PlanQuote
from portal.domain.quantity_changes import QuantityQuote
from portal.domain.quotes import GoingForward, Quote
from portal.queries.invoices import Invoice
from portal.queries.kept import kept_instance, kept_plan
from portal.queries.purchases import Purchase
from portal.queries.subscriptions import Instance
from portal.web.agreeing import Deal, deal_of, signed
from portal.web.language import date, language, money
from portal.web.legal_words import recharge_box, recharge_button, recharge_statements
from portal.web.plan_sentences import change_label
from portal.web.quantity_sentences import quantity_label
from portal.web.requests import state


def add_on_deal(quote: Quote) -> Deal:
    ahead = quote.going_forward
    duty = _duty(quote.charged, quote.carried_out, ahead, quote.starts_at)
    return deal_of(duty, _add_on_label(quote))


def plan_deal(quote: PlanQuote) -> Deal:
    due, ahead = quote.due, quote.going_forward
    return deal_of(
        _duty(due.charged, due.carried_out, ahead, quote.effective_at), change_label(quote)
    )


def quantity_deal(quote: QuantityQuote) -> Deal:
    """Fewer units oblige to nothing new."""
    fewer = quote.effective_at > quote.at
    ahead, starts_at = (None, None) if fewer else (quote.going_forward, quote.effective_at)
    duty = _duty(quote.due.charged, quote.due.carried_out, ahead, starts_at)
    return deal_of(duty, quantity_label(quote))


def keep_deal(instance: Instance, plain: str) -> Deal:
    """Of what is being cancelled; plain: the control's own words."""
    zero = Money.zero(state().account.currency)
    duty = _duty(zero, zero, kept_instance(state(), instance), None)
    return signed(deal_of(duty, plain), f"instance:{instance.id}")


def keep_plan_deal(plain: str) -> Deal:
    zero = Money.zero(state().account.currency)
    return signed(deal_of(_duty(zero, zero, kept_plan(state()), None), plain), "plan")


def invoice_deal(invoice: Invoice) -> Deal:
    """Of one that is open: it is owed already."""
    return signed(_owed(invoice.to_pay), f"invoice:{invoice.number}")


def purchase_deal(purchase: Purchase) -> Deal:
    """Of one that was agreed to and is not paid."""
    return signed(_owed(purchase.charged), f"purchase:{purchase.id}")


def recharge_deal(cap: Money, text: str, feature: str) -> Deal:
    """Of auto-recharge. text: all of what is agreed to, in one paragraph."""
    profile = state().account.profile
    terms = TERMS[profile]
    button, locale = recharge_button(terms, cap)
    statements = (text, *recharge_statements(terms))
    words = Words(
        profile, terms.text_version, language(), button, locale, statements, recharge_box(terms)
    )
    return signed(Deal(words), f"recharge:{feature}:{text}")


def _owed(amount: Money) -> Deal:
    duty = Duty(amount, Money.zero(amount.currency))
    return deal_of(duty, _("Pay %(amount)s now", amount=money(amount)))


def _duty(
    now: Money, carried: Money, ahead: GoingForward | None, starts_at: datetime | None
) -> Duty:
    if ahead is None:
        return Duty(now, carried, starts_at=starts_at)
    gross = ahead.amount if state().account.tax.inclusive else ahead.amount + ahead.tax
    return Duty(now, carried, gross, ahead.next_at, ahead.interval, starts_at)


def _add_on_label(quote: Quote) -> str:
    if quote.charged:
        return _("Pay %(amount)s now", amount=money(quote.charged))
    if quote.carried_out:
        return _("Add to plan – %(amount)s on your next invoice", amount=money(quote.carried_out))
    if quote.waits:
        return _("Add from %(date)s", date=date(quote.starts_at))
    return _("Add to plan")
