"""The demo's members and its one of the staff, as their sign-in pages list them in demo mode."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from portal.queries.demo import DEMO_PASSWORD, DEMO_STAFF
from portal.services.demo_staff import next_code
from portal.web.requests import database, scope, wall
from portal.web.wiring import wiring


@dataclass(frozen=True, slots=True)
class DemoMember:
    email: str
    about: LazyString
    password: str = DEMO_PASSWORD


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """code: what their authenticator would show; empty while all that are good now were used."""

    code: str
    email: str = DEMO_STAFF
    password: str = DEMO_PASSWORD


DEMO_MEMBERS = (
    DemoMember("owner@northwind.test", _("Owner: Growth plan, monthly, USD; card saved")),
    DemoMember("member@northwind.test", _("Member of the same account: may only look")),
    DemoMember("owner@sakura.test", _("Owner: JPY; no card saved yet")),
    DemoMember("owner@alpen.test", _("Owner: annual plan in EUR; the card declines")),
)


def demo_staff() -> DemoStaff | None:
    """Who may try the staff pages; None out of demo mode, and where their steps were changed."""
    if not wiring().settings.portal_demo:
        return None
    code = next_code(database(), scope(), wall(), wiring().safe)
    return None if code is None else DemoStaff(code)


def demo_code_of(email: str) -> str:
    """The code that one of the staff needs now, where it is the demo's; else empty."""
    found = demo_staff() if email == DEMO_STAFF else None
    return found.code if found else ""
