"""The words that a legal profile asks for: of buttons, of statements above them, of the box."""

from __future__ import annotations

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from portal.domain.legal import Box, Duty, Statement, Terms, Wording
from portal.domain.money import Money
from portal.web.language import date, language, money, number
from portal.web.wiring import wiring
from portal.web.words import per

GERMAN = "de"


def button_words(terms: Terms, duty: Duty, plain: str) -> tuple[str, str]:
    """What the button says, and in which language. plain: where no law asks for more."""
    if terms.wording is Wording.PLAIN or not duty.costs:
        return plain, language()
    if terms.wording is Wording.GERMAN:
        return german_words(_german_sum(duty)), GERMAN
    amount = _sum(duty)
    if terms.wording is Wording.OBLIGATION:
        return obliging_words(amount), language()
    if duty.now:
        return _("Pay %(amount)s now", amount=money(duty.now)), language()
    return _("Agree to pay – %(amount)s", amount=amount), language()


def obliging_words(amount: str) -> str:
    return _("Order with obligation to pay – %(amount)s", amount=amount)


def german_words(amount: str) -> str:
    """In German, whatever the page's language. Source: §312j(3) BGB."""
    return f"Zahlungspflichtig bestellen – {amount}"


def statement_words(statement: Statement, terms: Terms, duty: Duty) -> str:
    match statement:
        case Statement.TOTAL:
            return _total(duty)
        case Statement.RENEWAL:
            return _("%(charges)s, until you stop it; all taxes included.", charges=_charges(duty))
        case Statement.STOPPING:
            day = date(duty.later_at) if duty.later_at else ""
            return _("You can stop it here at any time, without a call or a letter: turn off"
                     " renewal, or cancel. Stopped before %(date)s, that charge is not made.",
                     date=day)  # fmt: skip
        case Statement.WITHDRAWAL:
            return _withdrawal(terms)


def box_words(box: Box | None, duty: Duty, terms: Terms) -> str:
    """What stands beside the box; empty without one."""
    match box:
        case Box.START:
            return _("I ask you to start before the %(days)s days in which I can withdraw are over."
                     " I know that I then pay for what I have had until I withdraw, and that I can"
                     " no longer withdraw once all of it has been supplied.",
                     days=number(terms.withdrawal_days))  # fmt: skip
        case Box.RENEWAL:
            return _("I agree to be charged again: %(charges)s, until I stop it.",
                     charges=_charges(duty))  # fmt: skip
        case None:
            return ""


def _total(duty: Duty) -> str:
    if duty.now:
        return _("You pay %(amount)s now, all taxes included.", amount=money(duty.now))
    if duty.carried:
        return _("Nothing is charged now; %(amount)s is on your next invoice, all taxes included.",
                 amount=money(duty.carried))  # fmt: skip
    return _("Nothing is charged now.")


def _charges(duty: Duty) -> str:
    """The amount of each later period, how often, and from when on."""
    if duty.later is None or duty.later_at is None or duty.interval is None:
        return ""
    amount, often = money(duty.later), per(duty.interval)
    return _("%(amount)s %(per)s from %(date)s on",
             amount=amount, per=often, date=date(duty.later_at))  # fmt: skip


def _withdrawal(terms: Terms) -> str:
    days, support = terms.withdrawal_days, wiring().settings.support_email
    said = ngettext("You can withdraw from this contract within %(shown)s day, without a reason.",
                    "You can withdraw from this contract within %(shown)s days, without a reason.",
                    days, shown=number(days))  # fmt: skip
    how = _("Choose “%(here)s” beside your active add-on or your plan.", here=withdraw_here(terms))
    where = _("Or write to %(support)s.", support=support) if support else _("Or write to us.")
    return f"{said} {how} {where}"


def withdraw_here(terms: Terms) -> str:
    """The control that begins a withdrawal; in German for Germans, whatever the page's language."""
    if terms.wording is Wording.GERMAN:
        return "Vertrag widerrufen"
    return _("Withdraw from contract here")


def _sum(duty: Duty) -> str:
    if duty.now:
        return _("%(amount)s now", amount=money(duty.now))
    if duty.carried:
        return _("%(amount)s on your next invoice", amount=money(duty.carried))
    zero, later, day = _later(duty)
    return _("%(zero)s now, %(amount)s on %(date)s", zero=zero, amount=later, date=day)


def _german_sum(duty: Duty) -> str:
    with force_locale(GERMAN):
        if duty.now:
            return f"{money(duty.now)} jetzt"
        if duty.carried:
            return f"{money(duty.carried)} mit der nächsten Rechnung"
        zero, later, day = _later(duty)
        return f"{zero} jetzt, {later} am {day}"


def _later(duty: Duty) -> tuple[str, str, str]:
    """Nothing, what comes later, and when. Raises ValueError where nothing does."""
    if duty.later is None or duty.later_at is None:
        raise ValueError("a duty costs something now, on the next invoice, or later")
    zero = Money.zero(duty.later.currency)
    return money(zero), money(duty.later), date(duty.later_at)


def recharge_button(terms: Terms, cap: Money) -> tuple[str, str]:
    """As `button_words`, of auto-recharge; cap: the most of a month."""
    if terms.wording is Wording.GERMAN:
        with force_locale(GERMAN):
            return german_words(f"bis zu {money(cap)} im Monat"), GERMAN
    if terms.wording is Wording.OBLIGATION:
        most = _("up to %(cap)s a month", cap=money(cap))
        return obliging_words(most), language()
    if terms.wording is Wording.PAY:
        return _("Agree to pay up to %(cap)s a month", cap=money(cap)), language()
    return _("Agree and turn on, up to %(cap)s a month", cap=money(cap)), language()


def recharge_statements(terms: Terms) -> tuple[str, ...]:
    """Besides the paragraph that says all of it."""
    return (_withdrawal(terms),) if Statement.WITHDRAWAL in terms.statements else ()


def recharge_box(terms: Terms) -> str:
    """What stands beside the box; empty without one."""
    match terms.box:
        case Box.START:
            return _("I ask you to deliver each pack at once, before the %(days)s days in which I"
                     " can withdraw are over. I know that I then pay for what I have used.",
                     days=number(terms.withdrawal_days))  # fmt: skip
        case Box.RENEWAL:
            return _("I agree that packs are bought and charged without asking me again.")
        case None:
            return ""
