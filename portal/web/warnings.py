"""The notices about use on an account's pages: quotas that run low, units that expire."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from portal.domain.quotas import Help
from portal.queries.accounts import AccountState
from portal.queries.loads import QuotaLoad, told_loads
from portal.queries.wallet import Expiring, expiring
from portal.services.quota import help_with
from portal.web import htmx
from portal.web.requests import database, scope

PAGES = frozenset({"addons.grid", "active.index", "usage.index", "wallet.index", "plans.index"})
"""Where they are shown."""


@dataclass(frozen=True, slots=True)
class QuotaAlert:
    """help: the cheapest add-on that brings more, where there is one."""

    quota: QuotaLoad
    help: Help | None


def quota_alerts(state: AccountState) -> tuple[QuotaAlert, ...]:
    """Quotas that members were told of, for as long as they are as far used."""
    if not _is_shown():
        return ()
    found = told_loads(database(), scope(), state)
    return tuple(QuotaAlert(each, help_with(state, each.feature)) for each in found)


def expiring_soon(state: AccountState) -> tuple[Expiring, ...]:
    return expiring(database(), scope(), state) if _is_shown() else ()


def _is_shown() -> bool:
    return request.endpoint in PAGES and not htmx.wants_partial()
