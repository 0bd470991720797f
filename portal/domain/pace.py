"""How many requests one key may make in a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

MINUTE = timedelta(minutes=1)


class Pace:
    """Counts the requests of each key in minutes that begin with its first one.

    In memory: every process counts its own. Safe for threads.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._counts: dict[int, tuple[datetime, int]] = {}
        self._lock = Lock()

    def wait_s(self, key_id: int, at: datetime) -> int:
        """Whole seconds until the next request may come; 0 when this one may, which counts it."""
        with self._lock:
            since, count = self._counts.get(key_id, (at, 0))
            if not since <= at < since + MINUTE:
                since, count = at, 0
            if count >= self.per_minute:
                left = since + MINUTE - at
                return -(-left // timedelta(seconds=1))
            self._counts[key_id] = (since, count + 1)
        return 0
