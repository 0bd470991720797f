"""The time that objects live by: the wall's, moved ahead on request."""

from __future__ import annotations

from collections.abc import Callable


class MovableClock:
    """Epoch seconds. Signatures keep the wall's time, or nobody would accept them."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._wall() + self.ahead
