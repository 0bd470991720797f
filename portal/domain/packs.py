"""The cheapest mix of packs that brings so many units: an exact search over what is on sale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

UNLIMITED = Decimal("Infinity")
"""What an add-on without a limit brings."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One quantity of an add-on: the units it brings, and all that is paid for it now."""

    quantity: int
    units: Decimal
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Pack:
    """An add-on that can be bought now. choices: each quantity that can, once."""

    add_on: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    add_on: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class _Mix:
    """rank: cost, then how many are bought, then in how many purchases; less is better."""

    units: Decimal
    rank: tuple[int, int, int] = (0, 0, 0)
    picks: tuple[Pick, ...] = ()


def cheapest(
    packs: Sequence[Pack], needed: Decimal, rest_cost: Callable[[Decimal], int] | None = None
) -> tuple[Pick, ...] | None:
    """What to buy for `needed` units or more; nothing for none, None when all of it is too little.

    rest_cost: what units cost that are used without being bought, in minor units; then less may
    be bought, or nothing. Of equally cheap mixes the one with fewer packs, then the one with fewer
    purchases.
    """
    best = [_Mix(Decimal(0))]
    for pack in packs:
        more = [_with(mix, pack, choice, needed) for mix in best for choice in pack.choices]
        best = _worthwhile([*best, *more])
    if rest_cost is None:
        return next((mix.picks for mix in best if mix.units >= needed), None)
    rests = {mix: rest_cost(needed - mix.units) for mix in best}
    return min(best, key=lambda mix: (mix.rank[0] + rests[mix], *mix.rank[1:])).picks


def _with(mix: _Mix, pack: Pack, choice: Choice, needed: Decimal) -> _Mix:
    """Units beyond what is needed count for nothing."""
    cost, count, purchases = mix.rank
    rank = (cost + choice.cost_minor, count + choice.quantity, purchases + 1)
    units = min(mix.units + choice.units, needed)
    return _Mix(units, rank, (*mix.picks, Pick(pack.add_on, choice)))


def _worthwhile(mixes: Iterable[_Mix]) -> list[_Mix]:
    """Those for which no better one brings as much, the best first."""
    kept: list[_Mix] = []
    for mix in sorted(mixes, key=lambda each: each.rank):
        if not kept or mix.units > kept[-1].units:
            kept.append(mix)
    return kept
