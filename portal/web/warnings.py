"""The notices about use on an account's pages: quotas that run low, units that expire."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from portal.domain.catalog import Price
from portal.domain.quotas import Help
from portal.queries.accounts import AccountState
from portal.queries.loads import QuotaLoad, told_loads
from portal.queries.usage_page import short_of
from portal.queries.use_prices import use_price
from portal.queries.wallet import Expiring, expiring
from portal.services.quota import help_with
from portal.web import htmx
from portal.web.requests import database, scope

PAGES = frozenset({"addons.grid", "active.index", "usage.index", "wallet.index", "plans.index"})
"""Where they are shown."""


@dataclass(frozen=True, slots=True)
class QuotaAlert:
    """help: the cheapest add-on that brings enough at the present pace, else the largest, where
    there is one. beyond: what use costs that goes on though nothing is left.
    """

    quota: QuotaLoad
    help: Help | None
    beyond: Price | None


def quota_alerts(state: AccountState) -> tuple[QuotaAlert, ...]:
    """Quotas that members were told of, for as long as they are as far used."""
    if not _is_shown():
        return ()
    return tuple(_alert(state, each) for each in told_loads(database(), scope(), state))


def _alert(state: AccountState, quota: QuotaLoad) -> QuotaAlert:
    short = short_of(database(), scope(), state, quota)
    beyond = None if quota.load.left else use_price(state, quota.feature, quota.window)
    price = beyond.price if beyond else None
    return QuotaAlert(quota, help_with(state, quota.feature, short), price)


def expiring_soon(state: AccountState) -> tuple[Expiring, ...]:
    return expiring(database(), scope(), state) if _is_shown() else ()


def _is_shown() -> bool:
    return request.endpoint in PAGES and not htmx.wants_partial()
