"""The member's language and the account's time zone: how money, dates and numbers are written."""

from __future__ import annotations

import datetime as calendar
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask, g, request
from flask_babel import Babel, get_babel, get_locale, get_timezone, gettext

from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.working import Phrases, Working, in_words
from portal.web import cookies
from portal.web.requests import signed_in

COOKIE = "language"
"""What a browser chose, for the pages of who has no own choice."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def install(app: Flask) -> None:
    Babel(app, locale_selector=_locale, timezone_selector=_zone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.globals.update(known_locales=known_locales, own_name=own_name)
    app.jinja_env.filters.update(
        money=money, unit_price=unit_price, number=number, percent=percent, day=day, date=date,
        datetime=date_time, span=span, time=time, working=working, month=month,
        short_day=short_day,
    )  # fmt: skip


def language() -> str:
    return str(get_locale()).replace("_", "-")


def direction() -> str:
    locale = get_locale()
    return "rtl" if locale and locale.language in RIGHT_TO_LEFT else "ltr"


def money(amount: Money) -> str:
    """An amount with its currency's own decimals."""
    return format_currency(amount.major(), amount.currency.upper(), locale=get_locale())


def unit_price(amount: Decimal, code: str) -> str:
    """A price per unit, with every decimal that it has."""
    return format_currency(amount, code.upper(), locale=get_locale(), decimal_quantization=False)


def number(value: Decimal | int) -> str:
    return format_decimal(value, locale=get_locale())


def percent(whole: int) -> str:
    """75 as 75%."""
    return format_percent(Decimal(whole) / 100, locale=get_locale())


def day(of: calendar.date) -> str:
    """A day of the calendar, whatever the zone."""
    return date_in(UTC, calendar.datetime(of.year, of.month, of.day, tzinfo=UTC))


def date(at: datetime) -> str:
    """A day in the account's zone: 1 Dec 2026, which no reader of English takes for another."""
    return date_in(get_timezone(), at)


def date_in(zone: tzinfo | None, at: datetime) -> str:
    """The same where no account is signed in."""
    locale = get_locale()
    pattern = "d MMM y" if locale is None or locale.language == "en" else "medium"
    return format_date(at.astimezone(zone), format=pattern, locale=locale)


def short_day(day: calendar.date) -> str:
    """A day where the year is plain: 22 Nov."""
    return _dated(day, "d MMM", "MMMd")


def month(first: calendar.date) -> str:
    """A calendar month: Nov 2026."""
    return _dated(first, "MMM y", "yMMM")


def _dated(day: calendar.date, english: str, skeleton: str) -> str:
    locale = get_locale()
    if locale is None or locale.language == "en":
        return format_date(day, format=english, locale=locale)
    return format_skeleton(skeleton, day, locale=locale)


def span(period: Period) -> str:
    """What a line is charged for: 11 Apr 2026 – 1 May 2026."""
    return span_in(get_timezone(), period)


def span_in(zone: tzinfo | None, period: Period) -> str:
    """The same where no account is signed in."""
    start, end = date_in(zone, period.start), date_in(zone, period.end)
    return str(gettext("%(start)s – %(end)s", start=start, end=end))


def date_time(at: datetime) -> str:
    """An instant in the account's zone, with the zone's name."""
    return f"{date(at)}, {time(at)}"


def time(at: datetime) -> str:
    """A time of day in the account's zone, with the zone's short name: 09:45 CET."""
    zone, locale = get_timezone(), get_locale()
    said = format_time(at, format="HH:mm z", tzinfo=zone, locale=locale)
    if not said[-1].isdigit():
        return said
    short = at.astimezone(zone).tzname() or ""
    if short.isalpha():  # no short name in this language: that of the time zone database
        return f"{format_time(at, format='HH:mm', tzinfo=zone, locale=locale)} {short}"
    return format_time(at, format="HH:mm zzzz", tzinfo=zone, locale=locale)  # beats "+0400"


def working(worked: Working) -> str:
    """How an amount came about, in the member's language."""
    return in_words(worked, _phrases())


def _phrases() -> Phrases:
    return Phrases(
        money=money,
        unit=unit_price,
        number=number,
        days=gettext("{left} of {whole} days ({left_s} of {whole_s} s)"),
        seconds=gettext("{left_s} of {whole_s} s"),
        flat=gettext("{amount} flat"),
        equals=gettext("{terms} = {result}"),
        once=gettext("{result}, charged in full"),
        tax=gettext("{rate} %% of {of} = {result}").replace("%%", "%"),
        tax_included=gettext("{rate} %% contained in {of} = {result}").replace("%%", "%"),
        tax_credited=gettext("{rate} %% tax on {of} less that on {kept} kept = {result}").replace(
            "%%", "%"
        ),
        left=gettext("{result}, all that is left of {of}"),
        part=gettext("{result} of {of}"),
        carried=gettext("{result} carried from an earlier bill"),
        balance=gettext("{result} taken from your balance"),
    )


def known_locale(locale: str) -> str:
    """The words that come nearest to `locale`, which may be of a country, else English."""
    return _nearest([locale], known_locales()) or "en"


def browsers_best(choices: Sequence[str]) -> str | None:
    """Which of the choices the browser asks for first; None where it asks for none of them."""
    return _nearest(request.accept_languages.values(), choices)


def _nearest(wanted: Iterable[str], choices: Sequence[str]) -> str | None:
    """The first that is wanted and among the choices, if only by its language."""
    found = negotiate_locale([each.replace("-", "_") for each in wanted], choices)
    return str(Locale.parse(found)) if found else None


def known_locales() -> list[str]:
    """Those there are words in, in the order of their own names."""
    found = {str(locale) for locale in get_babel().instance.list_translations()} | {"en"}
    return sorted(found, key=own_name)


def own_name(locale: str) -> str:
    """A language as it calls itself: Deutsch."""
    return str(Locale.parse(locale).get_display_name(locale)).capitalize()


def _locale() -> str | None:
    """The member's own, else what this browser chose, else its best among those there are."""
    known, user = known_locales(), signed_in()
    chosen = (user.member.locale if user else "", cookies.held(COOKIE))
    return _nearest(chosen, known) or browsers_best(known) or "en"


def _zone() -> ZoneInfo:
    """Not its name alone: that would be looked up in another database."""
    if "zone" in g:  # of a mail, or a page that is nobody's account's
        return ZoneInfo(str(g.zone))
    return ZoneInfo(g.state.account.zone if "state" in g else "UTC")
