"""What pages and mails say about signing in."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.passwords import LONGEST, SHORTEST, Weakness
from portal.web.language import number

BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
"""What a browser says of itself contains, most telling first, and what people call it."""


def device_words(user_agent: str) -> str:
    """Firefox on Windows. Only names of these lists: a browser can say anything."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("Unknown device"))


def device_icon(user_agent: str) -> str:
    is_phone = _first(SYSTEMS, user_agent) in ("iPhone", "Android")
    return "device-mobile-message" if is_phone else "device-desktop"


def wait_words(wait: timedelta) -> str:
    """The next try, in whole minutes from a minute on, rounded up."""
    seconds = -int(-wait.total_seconds() // 1)
    if seconds < 60:
        return str(
            ngettext(
                "Too many tries. Try again in %(shown)s second.",
                "Too many tries. Try again in %(shown)s seconds.",
                seconds, shown=number(seconds),
            )
        )  # fmt: skip
    minutes = -(-seconds // 60)
    return str(
        ngettext(
            "Too many tries. Try again in %(shown)s minute.",
            "Too many tries. Try again in %(shown)s minutes.",
            minutes, shown=number(minutes),
        )
    )  # fmt: skip


def weakness_words(weak: Weakness) -> str:
    match weak:
        case Weakness.SHORT:
            return str(_("Use %(least)s characters or more", least=number(SHORTEST)))
        case Weakness.LONG:
            return str(_("Use %(most)s characters or fewer", most=number(LONGEST)))
        case Weakness.COMMON:
            return str(_("This is a common password, or built from one, so it is tried first:"
                         " choose another"))  # fmt: skip
        case Weakness.OWN:
            return str(_("Do not build it from your e-mail address"))


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in names if sign in user_agent), "")
