"""The time that objects live by: the wall's, moved ahead or back on request."""

from __future__ import annotations

import math
from collections.abc import Callable

_LAST = 253_402_300_799.0  # the end of the year 9999


class MovableClock:
    """Epoch seconds. Signatures keep the wall's time, or nobody would accept them."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._wall() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; a negative number goes back.

        Raises ValueError for a time that no calendar holds.
        """
        if not math.isfinite(seconds) or not 0 <= self() + seconds <= _LAST:
            raise ValueError("outside the years 1970 to 9999")
        self.ahead += seconds
