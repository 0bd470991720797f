"""What a consumer reads who withdraws from a contract: the two controls, and the money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from portal.domain.contract_withdrawals import Part
from portal.domain.legal import TERMS, Wording
from portal.domain.periods import Period
from portal.web.language import number, percent
from portal.web.legal_words import GERMAN, withdraw_here
from portal.web.requests import state

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Labels:
    """lang: the labels' own language, where it is not the page's."""

    here: str
    confirm: str
    lang: str = ""


def withdraw_labels() -> Labels:
    """Source: Directive 2011/83/EU art. 11a; § 356a BGB."""
    terms = TERMS[state().account.profile]
    if terms.wording is Wording.GERMAN:
        return Labels(withdraw_here(terms), "Widerruf bestätigen", GERMAN)
    return Labels(withdraw_here(terms), _("Confirm withdrawal"))


def supplied_words(part: Part) -> str:
    """Why not all that was charged goes back, or why it does."""
    if part.whole:
        return _("You did not ask for it to start before the time to withdraw is over")
    if part.line.period is not None:
        return _passed(part.line.period, part)
    if part.once is not None and part.once.units is not None:
        return _("%(share)s of its units are used", share=percent(round(100 * (1 - part.share))))
    return _passed(part.once.span, part) if part.once and part.once.span else ""


def _passed(period: Period, part: Part) -> str:
    whole = Decimal(period.length) / _DAY_S
    left = part.share.numerator * whole / part.share.denominator
    passed, days = (number(round(each, 1).normalize()) for each in (whole - left, whole))
    return _("%(passed)s of %(days)s days have passed", passed=passed, days=days)
