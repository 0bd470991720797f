"""When members are told that a quota runs low: three thresholds, each once while it stays so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

THRESHOLDS = (75, 90, 100)
"""Percent of a quota."""


@dataclass(frozen=True, slots=True)
class Load:
    """used: units that the allowance covered, or the level of a held feature.

    allowance: None = unlimited.
    """

    used: Decimal
    allowance: Decimal | None

    @property
    def left(self) -> Decimal | None:
        return None if self.allowance is None else max(self.allowance - self.used, Decimal(0))

    @property
    def percent(self) -> int:
        """Whole percent used, at most 100; 0 without a limit."""
        if not self.allowance or self.allowance < 0:
            return 0
        return min(int(self.used * 100 / self.allowance), 100)


def reached(load: Load) -> tuple[int, ...]:
    """The thresholds that a quota is at or above; none without a limit, and none of nothing."""
    if not load.allowance or load.allowance < 0:
        return ()
    return tuple(each for each in THRESHOLDS if load.used * 100 >= each * load.allowance)


def due(
    load: Load, before: Decimal, told: Mapping[int, Decimal], *, is_level: bool
) -> tuple[int, ...]:
    """The thresholds to tell of now, the lowest first.

    before: what was used before the report. told: the largest allowance, by threshold, at which
    this window's members were told already. A threshold is due once in a window, and again only
    after the allowance has grown past what it was then and use has come from below it. A level
    does not begin anew with a window: it is told only when it comes from below.
    Source: product.md §6 (alerts).
    """
    below = set(reached(load)) - set(reached(Load(before, load.allowance)))
    allowance = load.allowance or Decimal(0)
    return tuple(
        each
        for each in reached(load)
        if (each in below and told.get(each, Decimal(0)) < allowance)
        or (each not in told and not is_level)
    )
