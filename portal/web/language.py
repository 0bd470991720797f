"""The member's language and the account's time zone: how money, dates and numbers are written."""

from __future__ import annotations

import datetime as calendar
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask, g, request
from flask_babel import Babel, get_babel, get_locale, get_timezone, gettext

from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.working import Phrases, Working, in_words
from portal.web.requests import signed_in

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def install(app: Flask) -> None:
    Babel(app, locale_selector=_locale, timezone_selector=_zone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
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
    """`locale` where there are words in it, else English."""
    return locale if locale in _known() else "en"


def _known() -> list[str]:
    return [str(locale) for locale in get_babel().instance.list_translations()]


def _locale() -> str | None:
    """The member's own, else the browser's best among those there are."""
    known = _known()
    user = signed_in()
    if user and user.member.locale in known:
        return user.member.locale
    return request.accept_languages.best_match(known, "en")


def _zone() -> str | None:
    if "zone" in g:  # of a mail, or a page that is nobody's account's
        return str(g.zone)
    return g.state.account.zone if "state" in g else "UTC"
