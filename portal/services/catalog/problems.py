"""What is wrong with a catalog file: each problem with the line it is on, all of them kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """line: counted from 1."""

    line: int
    message: str


class Problems:
    """Collects problems, so that reading can go on after each."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, line: int, message: str) -> None:
        self._found.append(Problem(line, message))

    def in_order(self) -> tuple[Problem, ...]:
        """Every problem once, by line."""
        return tuple(sorted(set(self._found)))

    def __bool__(self) -> bool:
        return bool(self._found)
