"""What an auto-recharge would have bought on past days, with their real use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal

from portal.domain.grants import LOT_DECIMALS
from portal.domain.money import Money
from portal.domain.recharge import pack_to_buy
from portal.domain.recharge_decisions import Pack

SIMULATED = timedelta(days=30)
DAY_S = 86_400
_FINEST = Decimal(1).scaleb(-LOT_DECIMALS)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's use. granted: what the window that begins on it brings; None when none does."""

    day: date
    used: Decimal
    granted: Decimal | None


@dataclass(frozen=True, slots=True)
class Trial:
    """The values to try. opening: units there before the first day. cap: of a calendar month."""

    threshold: int
    chosen: Pack
    packs: tuple[Pack, ...]
    cap: Money
    cooldown: timedelta
    opening: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """left: units just before it."""

    day: date
    pack: Pack
    left: Decimal


@dataclass(frozen=True, slots=True)
class Simulated:
    """lowest: the fewest units left at any time. capped: days on which the cap stopped one.

    missed: used units that nothing covered. closing: units left at the end.
    """

    charges: tuple[Charge, ...]
    lowest: Decimal
    lowest_on: date | None
    capped: tuple[date, ...]
    missed: Decimal
    closing: Decimal
    spent: Money


@dataclass(slots=True)
class _Run:
    """Where a simulation stands. at_s: the seconds of the day that are gone."""

    left: Decimal
    lowest: Decimal
    lowest_on: date | None = None
    missed: Decimal = Decimal(0)
    free_from: tuple[date, float] | None = None


def simulate(trial: Trial, days: Sequence[Day]) -> Simulated:
    """Go through the days in order; each day's use is taken to be even.

    Units of a window end with it, bought ones too. Source: product.md §5 (auto-recharge).
    """
    run = _Run(trial.opening, trial.opening, days[0].day if days else None)
    charges: list[Charge] = []
    capped: list[date] = []
    for day in days:
        if day.granted is not None:
            run.left = day.granted
        _live(trial, run, day, charges, capped)
    code = trial.cap.currency
    spent = sum((c.pack.amount for c in charges), Money.zero(code))
    missed, closing = run.missed, run.left
    return Simulated(
        tuple(charges), run.lowest, run.lowest_on, tuple(capped), missed, closing, spent
    )


def _live(trial: Trial, run: _Run, day: Day, charges: list[Charge], capped: list[date]) -> None:
    to_use = day.used
    while True:
        if run.left < trial.threshold and day.used:
            gone = float((day.used - to_use) / day.used) * DAY_S
            if _may_buy(trial, run, day, gone, charges, capped):
                continue
            step = to_use if run.free_from is None else _until_free(run, day, gone, to_use)
        else:
            step = min(to_use, max(run.left - trial.threshold + 1, Decimal(1)))
        if not to_use:
            return
        _use(run, day, step)
        to_use -= step


def _use(run: _Run, day: Day, units: Decimal) -> None:
    run.missed += max(units - run.left, Decimal(0))
    run.left = max(run.left - units, Decimal(0))
    if run.left < run.lowest:
        run.lowest, run.lowest_on = run.left, day.day


def _may_buy(
    trial: Trial, run: _Run, day: Day, gone: float, charges: list[Charge], capped: list[date]
) -> bool:
    """Buy where cooldown and cap allow it; False when nothing was bought."""
    if run.free_from is not None and (day.day, gone) < run.free_from:
        return False
    pack = _pack(trial, run.left)
    month = day.day.replace(day=1)
    taken = [c.pack.amount for c in charges if c.day.replace(day=1) == month]
    if sum(taken, pack.amount).minor > trial.cap.minor:
        if day.day not in capped:
            capped.append(day.day)
        run.free_from = _later(day.day + timedelta(days=1), 0.0, timedelta(0))
        return False
    charges.append(Charge(day.day, pack, run.left))
    run.left += pack.units
    run.free_from = _later(day.day, gone, max(trial.cooldown, timedelta(minutes=1)))
    return True


def _later(day: date, gone: float, by: timedelta) -> tuple[date, float]:
    days, rest = divmod(gone + by.total_seconds(), DAY_S)
    return day + timedelta(days=int(days)), rest


def _until_free(run: _Run, day: Day, gone: float, to_use: Decimal) -> Decimal:
    """What is used until the cooldown is over; all of it where that is another day."""
    if run.free_from is None or run.free_from[0] > day.day:
        return to_use
    share = Decimal(max(run.free_from[1] - gone, 1.0)) / DAY_S
    return min(to_use, (day.used * share).quantize(_FINEST, ROUND_UP))


def _pack(trial: Trial, left: Decimal) -> Pack:
    sizes = [pack.units for pack in trial.packs]
    choice = pack_to_buy(int(left), trial.threshold, trial.chosen.units, sizes)
    if choice is None or choice.units == trial.chosen.units:
        return trial.chosen
    return next(pack for pack in trial.packs if pack.units == choice.units)
