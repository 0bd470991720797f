"""Failures on demand: what no test card can make happen."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Mode(StrEnum):
    AFTER_500 = "after_500"  # the work is done, the answer is a 500 (kept for the key)
    AFTER_DROP = "after_drop"  # the work is done and kept, the connection closes unanswered
    BEFORE_500 = "before_500"  # nothing is done, the answer is a 500 (kept for the key)
    BEFORE_DROP = "before_drop"  # nothing is done, the connection closes unanswered
    RATE_LIMIT = "429"  # nothing is done or kept
    DELAY = "delay"  # `seconds` pass before the work, while the key is in use


@dataclass(slots=True)
class Fault:
    """Meets the next `n` requests whose "METHOD /path" fits `match`; `*` stands for any text."""

    match: str
    mode: Mode
    n: int = 1
    seconds: float = 0.0


class Faults:
    """The faults still to come, first set first met."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, request_line: str) -> Fault | None:
        """The fault for this request, if there is one; uses it up by one."""
        with self._lock:
            for fault in self._waiting:
                if fnmatchcase(request_line, fault.match):
                    fault.n -= 1
                    if fault.n <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def count(self) -> int:
        with self._lock:
            return sum(fault.n for fault in self._waiting)
