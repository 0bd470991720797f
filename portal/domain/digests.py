"""When the weekly digest of use is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = time(9)
WEEK = timedelta(days=7)


def last_due(now: datetime, zone: str) -> tuple[date, datetime]:
    """The last Monday at 09:00 in `zone` that has come: its day, and the instant."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    monday = today - timedelta(days=today.weekday())
    at = _nine(monday, here)
    if at > now:
        monday -= WEEK
        at = _nine(monday, here)
    return monday, at


def _nine(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, HOUR, zone).astimezone(UTC)
