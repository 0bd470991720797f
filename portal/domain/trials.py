"""A trial of a plan: nothing is charged until it ends, then the first period begins."""

from __future__ import annotations

from datetime import datetime

from portal.domain.catalog import Price
from portal.domain.periods import Anchor, BillingPeriod, Interval

NOTICE_DAYS = 3
_DAY = Interval(BillingPeriod.DAILY)


def trial_end(price: Price, started_at: datetime, zone: str) -> datetime | None:
    """When a trial that began at `started_at` ends, by the wall clock of the account's zone.

    It is the billing anchor, and where the plan is billed for the first time. None without trial.
    Source: product.md §6 (trial).
    """
    if not price.trial_period_days:
        return None
    return Anchor(started_at, zone).boundary(price.trial_period_days, _DAY)


def trial_notice_at(price: Price, started_at: datetime, zone: str) -> datetime | None:
    """When to say that a trial ends: three days before, at once for a shorter one."""
    if not price.trial_period_days:
        return None
    days = max(price.trial_period_days - NOTICE_DAYS, 0)
    return Anchor(started_at, zone).boundary(days, _DAY)
