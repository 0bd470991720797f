"""What the wallet and its notices say, each as a phrase."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.queries.credit_ledger import EntryKind
from portal.queries.loads import QuotaLoad
from portal.queries.wallet import CreditSource, Expiring
from portal.services.wallet import CreditLot, Credits
from portal.web.language import date, number, percent
from portal.web.usage_sentences import rate_words


def source_words(source: CreditSource) -> str:
    if source.is_plan:
        return _("%(plan)s plan", plan=source.name) if source.name else _("Your plan")
    return source.name or _("Add-on")


def entry_words(kind: EntryKind) -> str:
    """What a line of the ledger tells of."""
    said: dict[EntryKind, str] = {
        EntryKind.GRANT: _("Received"),
        EntryKind.DRAW: _("Used"),
        EntryKind.CORRECTION: _("Given back by a correction"),
        EntryKind.EXPIRY: _("Expired unused"),
    }
    return said[kind]


def unused_words(lot: CreditLot) -> str:
    """What becomes of the lot at today's pace."""
    if lot.unused is None:
        return _("Nothing expires")
    if lot.unused >= lot.left:
        return _("All of it will expire unused")
    if not round(lot.unused):
        return _("Used up before it expires")
    return _("%(units)s will expire unused", units=number(round(lot.unused)))


def pace_words(credits: Credits) -> str:
    """`120 a day in the last 7 days. At this pace they are used up on 3 Jun 2026.`"""
    rate = credits.rate
    if rate is None:
        return _("A pace comes after the first whole day of use.")
    days = {"days": number(rate.days)}
    if not rate.units:
        return _("None were used in the last %(days)s days.", **days)
    said = ngettext(
        "%(pace)s, after one whole day.",
        "%(pace)s in the last %(days)s days.",
        rate.days, pace=rate_words(rate), **days,
    )  # fmt: skip
    if credits.runs_out_at is not None:
        end = _("At this pace they are used up on %(date)s.", date=date(credits.runs_out_at))
        return f"{said} {end}"
    return said


def alert_title(quota: QuotaLoad) -> str:
    """`91% of your messages are used`."""
    what = quota.feature.unit_plural or quota.feature.name
    if quota.load.left:
        return _(
            "%(share)s of your %(what)s are used", share=percent(quota.load.percent), what=what
        )
    return _("All of your %(what)s are used", what=what)


def alert_words(quota: QuotaLoad) -> str:
    """How many are left, and when they start anew."""
    what = quota.feature.unit_plural or quota.feature.name
    said = _("%(left)s of %(of)s %(what)s are left.", left=number(quota.load.left or 0),
             of=number(quota.load.allowance or 0), what=what)  # fmt: skip
    if not quota.feature.is_consumed:
        return said
    anew = _("They start anew on %(date)s.", date=date(quota.window.end))
    return f"{said} {anew}"


def expiring_words(lot: Expiring) -> str:
    """`400 credits expire on 1 May 2026, in 7 days at most.`"""
    what = lot.feature.unit_plural or lot.feature.name
    return ngettext(
        "%(units)s %(what)s expire on %(date)s, within %(shown)s day.",
        "%(units)s %(what)s expire on %(date)s, within %(shown)s days.",
        lot.days, units=number(lot.left), what=what, date=date(lot.expires_at),
        shown=number(lot.days),
    )  # fmt: skip
