"""The demo members, as the sign-in page lists them in demo mode."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from portal.queries.demo import DEMO_PASSWORD


@dataclass(frozen=True, slots=True)
class DemoMember:
    email: str
    about: LazyString
    password: str = DEMO_PASSWORD


DEMO_MEMBERS = (
    DemoMember("owner@northwind.test", _("Owner: Growth plan, monthly, USD; card saved")),
    DemoMember("member@northwind.test", _("Member of the same account: may only look")),
    DemoMember("owner@sakura.test", _("Owner: JPY; no card saved yet")),
    DemoMember("owner@alpen.test", _("Owner: annual plan in EUR; the card declines")),
)
