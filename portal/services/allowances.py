"""The units of the quota window that runs while a plan changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Entitlement, Plan
from portal.domain.grants import LotSource
from portal.domain.periods import BillingPeriod, Interval, Period
from portal.domain.plan_limits import raised
from portal.queries.accounts import AccountState
from portal.queries.subscriptions import Subscription
from portal.services.capacity import PLAN_PRIORITY, NewLot, open_lots, open_windows


def raise_allowance(
    session: Session,
    scope: Scope,
    state: AccountState,
    target: Plan,
    at: datetime,
    promised: Mapping[int, str] | None,
) -> None:
    """Open what a change to `target` at `at` brings in the running window; commits nothing.

    promised: units of each entitlement's id, as they were quoted; they hold while the window of
    the quote runs. None at the end of a term: a window that begins there is the new plan's alone.
    state: before the change.
    Source: product.md §4a, §6 (upgrade now).
    """
    subscription = state.subscription
    if subscription is None:
        return
    now = at if promised is None else max(at, state.now)
    windows = _counted(subscription, target, now)
    if promised is None:
        windows = [(e, window) for e, window in windows if window.start < now]
    if windows:
        open_windows(session, scope, state, now)
    fresh = {
        more.entitlement.id: more.units
        for more in raised(subscription.plan, target, subscription.cycle, now)
        if more.entitlement is not None and more.units is not None
    }
    quoted = promised or {}
    lots = [
        _lot(e, window, _units(e, quoted if at in window else {}, fresh)) for e, window in windows
    ]
    open_lots(session, scope, state.account.id, lots)


def _counted(
    subscription: Subscription, target: Plan, now: datetime
) -> list[tuple[Entitlement, Period]]:
    """Those whose units come each window, where the plan so far had a limit too.

    A lot without units keeps the whole allowance from coming on top of the old plan's.
    """
    old = subscription.plan.entitlements
    unlimited = {e.feature.id for e in old if e.is_enabled and e.usage_limit is None}
    return [
        (e, _window(subscription, e, now))
        for e in target.entitlements
        if e.is_enabled and e.feature.is_consumed and e.usage_limit is not None
        if e.feature.id not in unlimited
    ]


def _units(e: Entitlement, quoted: Mapping[int, str], fresh: Mapping[int, Decimal]) -> Decimal:
    return Decimal(quoted[e.id]) if e.id in quoted else fresh.get(e.id, Decimal(0))


def _lot(e: Entitlement, window: Period, units: Decimal) -> NewLot:
    """Named like the lot that each later window brings, so that this window has it once."""
    return NewLot(
        feature=e.feature,
        source=LotSource.PLAN,
        source_key=f"plan:{e.id}",
        units=units,
        priority=PLAN_PRIORITY,
        effective_at=window.start,
        expires_at=window.end,
    )


def _window(subscription: Subscription, e: Entitlement, at: datetime) -> Period:
    interval = Interval(e.usage_reset_period or BillingPeriod.MONTHLY)
    return subscription.cycle.quota_window(at, interval)
