"""When members are reminded of units that expire, and of which lots they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.domain.periods import Period

STEPS = (30, 7, 1)
"""Days before the end."""


def outlives(expires_at: datetime | None, window: Period) -> bool:
    """False for units that come and go with `window`, the quota window in which they began."""
    return expires_at is None or expires_at > window.end


def step(began_at: datetime, expires_at: datetime, zone: str, now: datetime) -> int | None:
    """The reminder that is due at `now`: 30, 7 or 1; None when none is.

    Late, it is the last one only. A lot shorter than a step is not reminded of by it. Days are
    the account's own: the same time of day, so many days before.
    """
    if now >= expires_at:
        return None
    local = expires_at.astimezone(ZoneInfo(zone))
    come = [
        days
        for days in STEPS
        if began_at < (at := (local - timedelta(days=days)).astimezone(UTC)) and at <= now
    ]
    return min(come, default=None)
