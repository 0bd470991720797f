"""What a consumer reads who withdraws from a contract: the two controls, and the money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

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
        return _of_period(part.line.period, part)
    if part.once is not None and part.once.units is not None:
        return _("%(share)s of its units are used", share=percent(round(100 * (1 - part.share))))
    if part.once is None or part.once.span is None:
        return ""
    return _("%(passed)s of %(days)s days have passed", **_passed(part.once.span, part.share))


def _of_period(period: Period, part: Part) -> str:
    """Its time, and the units where any are used; the larger share counts."""
    figures = _passed(period, part.share if part.ahead is None else part.ahead)
    supply = part.supply
    if supply is None:
        return _("%(passed)s of %(days)s days have passed", **figures)
    figures["used"], figures["units"] = number(supply.used), number(supply.brought)
    figures["what"] = supply.feature.unit_plural or supply.feature.name
    if part.goes_by_units:
        return _("%(used)s of the %(units)s %(what)s that were paid for are used, a larger share"
                 " than %(passed)s of %(days)s days", **figures)  # fmt: skip
    return _("%(passed)s of %(days)s days have passed, a larger share than %(used)s of the"
             " %(units)s %(what)s that were paid for", **figures)  # fmt: skip


def _passed(period: Period, ahead: Fraction) -> dict[str, str]:
    """ahead: the share of the period that is left."""
    whole = Decimal(period.length) / _DAY_S
    left = ahead.numerator * whole / ahead.denominator
    passed, days = (number(round(each, 1).normalize()) for each in (whole - left, whole))
    return {"passed": passed, "days": days}
