"""Which pack auto-recharge buys when a quota runs low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """units: of the one pack to buy. clears: False when even the largest leaves too little."""

    units: int
    clears: bool


def default_threshold(allowance: int) -> int:
    """10 % of the plan's own allowance, in whole units."""
    return allowance // 10


def default_pack(allowance: int, packs: Sequence[int]) -> int:
    """The pack nearest to 50 % of the plan's own allowance, the smaller of two as near.

    packs: units of each pack that is sold, at least one.
    """
    return min(packs, key=lambda units: (abs(2 * units - allowance), units))


def pack_to_buy(remaining: int, threshold: int, chosen: int, packs: Sequence[int]) -> Choice | None:
    """The pack to buy; None while the remaining units are not below the threshold.

    The chosen one if it clears the threshold, else the smallest that does, else the largest.
    Source: product.md §6 (auto-recharge), A1-A3.
    """
    if remaining >= threshold:
        return None
    enough = [units for units in sorted(packs) if remaining + units >= threshold]
    if remaining + chosen >= threshold:
        return Choice(chosen, True)
    return Choice(enough[0], True) if enough else Choice(max(packs), False)
