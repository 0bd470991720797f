"""What an auto-recharge would have bought on past days, with their real use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal

from portal.domain.grants import LOT_DECIMALS
from portal.domain.money import Money
from portal.domain.recharge import pack_to_buy
from portal.domain.recharge_decisions import LOOK_AGAIN, Pack

SIMULATED = timedelta(days=30)
MOST_CHARGES = 200
"""Charges after which a simulation ends: by then the values are known to be wrong."""
DAY_S = 86_400.0
_LAST_S = DAY_S - 1
_FINEST = Decimal(1).scaleb(-LOT_DECIMALS)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Held:
    """Units that burn together. until: the day at whose beginning they end; None for never."""

    units: Decimal
    until: date | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day's use. brought: what comes on it without auto-recharge. window_end: the day on which
    its quota window ends; None where the use has no window. pace: units a day, as it was then."""

    day: date
    used: Decimal
    brought: tuple[Held, ...] = ()
    window_end: date | None = None
    pace: Decimal = _NOTHING


@dataclass(frozen=True, slots=True)
class Trial:
    """The values to try. cap: of a calendar month. opening: what was there before the first day.

    at, window_end: the instant that the packs are of, and when its quota window ends.
    """

    threshold: int
    chosen: Pack
    packs: tuple[Pack, ...]
    cap: Money
    cooldown: timedelta
    opening: tuple[Held, ...]
    at: datetime
    window_end: datetime | None


@dataclass(frozen=True, slots=True)
class Charge:
    """left: units just before it."""

    day: date
    pack: Pack
    left: Decimal


@dataclass(frozen=True, slots=True)
class Simulated:
    """lowest: the fewest units left at any time. capped: days on which the cap stopped one.

    missed: used units that nothing covered. closing: units left at the end. is_cut: it ended after
    MOST_CHARGES, before the last day, and all figures are of the days until then.
    """

    charges: tuple[Charge, ...]
    lowest: Decimal
    lowest_on: date | None
    capped: tuple[date, ...]
    missed: Decimal
    closing: Decimal
    spent: Money
    is_cut: bool


@dataclass(slots=True)
class _Lot:
    left: Decimal
    until: date | None


@dataclass(slots=True)
class _Run:
    """Where a simulation stands. free_from: the day, and its seconds that are gone, from which on
    it looks again. spent: minor units by month."""

    lots: list[_Lot]
    lowest: Decimal
    lowest_on: date | None
    missed: Decimal = _NOTHING
    free_from: tuple[date, float] | None = None
    charges: list[Charge] = field(default_factory=list)
    capped: list[date] = field(default_factory=list)
    spent: dict[date, int] = field(default_factory=dict)
    is_cut: bool = False

    @property
    def left(self) -> Decimal:
        return sum((lot.left for lot in self.lots), _NOTHING)

    def add(self, brought: Iterable[Held]) -> None:
        """In burn order: what ends soonest first, what never does last."""
        self.lots += [_Lot(each.units, each.until) for each in brought if each.units]
        self.lots.sort(key=lambda lot: (lot.until is None, lot.until or date.max))


def simulate(trial: Trial, days: Sequence[Day]) -> Simulated:
    """Go through the days in order; each day's use is taken to be even.

    Each unit ends when it really would: with its window, on a day, or never. Never more than
    MOST_CHARGES are made. Source: product.md §5 (auto-recharge).
    """
    run = _Run([], _NOTHING, days[0].day if days else None)
    run.add(trial.opening)
    run.lowest = run.left
    for day in days:
        run.lots = [lot for lot in run.lots if lot.until is None or lot.until > day.day]
        run.add(day.brought)
        _note_lowest(run, day)
        _live(trial, run, day)
        if run.is_cut:
            break
    spent = sum((c.pack.amount for c in run.charges), Money.zero(trial.cap.currency))
    return Simulated(
        tuple(run.charges), run.lowest, run.lowest_on, tuple(run.capped), run.missed, run.left,
        spent, run.is_cut,
    )  # fmt: skip


def _live(trial: Trial, run: _Run, day: Day) -> None:
    """One day: use until something is to be bought, buy or wait, and so on until it is over."""
    to_use, gone = day.used, 0.0
    while gone < DAY_S and not run.is_cut:
        left = run.left
        if left >= trial.threshold:
            if not to_use:
                return
            step = min(to_use, max(left - trial.threshold + 1, Decimal(1)))
            then = min(float((day.used - to_use + step) / day.used) * DAY_S, _LAST_S)
        elif _may_buy(trial, run, day, gone):
            continue
        else:
            then = _next_try(run, day, gone)
            step = to_use if then >= DAY_S else _used_within(day, then - gone, to_use)
        _use(run, day, step)
        to_use -= step
        gone = max(gone, then)


def _use(run: _Run, day: Day, units: Decimal) -> None:
    for lot in run.lots:
        taken = min(lot.left, units)
        lot.left -= taken
        units -= taken
    run.lots = [lot for lot in run.lots if lot.left]
    run.missed += units
    _note_lowest(run, day)


def _note_lowest(run: _Run, day: Day) -> None:
    if run.left < run.lowest:
        run.lowest, run.lowest_on = run.left, day.day


def _may_buy(trial: Trial, run: _Run, day: Day, gone: float) -> bool:
    """Buy where cooldown and cap allow it and it is needed; False when nothing was bought."""
    if run.free_from is not None and (day.day, gone) < run.free_from:
        return False
    pack, month = _pack(trial, run.left), day.day.replace(day=1)
    if not _is_needed(trial, run, day, pack, gone):
        run.free_from = _later(day.day, gone, LOOK_AGAIN)
        return False
    spent = run.spent.get(month, 0) + pack.amount.minor
    if spent > trial.cap.minor:
        if day.day not in run.capped:
            run.capped.append(day.day)
        run.free_from = _later(day.day + timedelta(days=1), 0.0, timedelta(0))
        return False
    if len(run.charges) >= MOST_CHARGES:
        run.is_cut = True
        return False
    run.spent[month] = spent
    run.charges.append(Charge(day.day, pack, run.left))
    run.add([Held(Decimal(pack.units), _until(trial, pack, day))])
    run.free_from = _later(day.day, gone, max(trial.cooldown, timedelta(minutes=1)))
    return True


def _is_needed(trial: Trial, run: _Run, day: Day, pack: Pack, gone: float) -> bool:
    """As the engine has it: not where what is left lasts until the window, and the pack, ends."""
    if run.left < 1 or day.window_end is None or not _ends_with_window(trial, pack):
        return True
    pace = max(day.pace, day.used * Decimal(gone) / Decimal(DAY_S))
    days = (day.window_end - day.day).days - Decimal(gone) / Decimal(DAY_S)
    return run.left < pace * days


def _later(day: date, gone: float, by: timedelta) -> tuple[date, float]:
    days, rest = divmod(gone + by.total_seconds(), DAY_S)
    return day + timedelta(days=int(days)), rest


def _next_try(run: _Run, day: Day, gone: float) -> float:
    """The second of the day at which something may be bought again; its end where none is."""
    if run.free_from is None or run.free_from[0] != day.day or run.free_from[1] <= gone:
        return DAY_S
    return run.free_from[1]


def _used_within(day: Day, seconds: float, to_use: Decimal) -> Decimal:
    share = Decimal(seconds) / Decimal(DAY_S)
    return min(to_use, (day.used * share).quantize(_FINEST, ROUND_UP))


def _ends_with_window(trial: Trial, pack: Pack) -> bool:
    ends = trial.window_end
    return pack.until is not None and ends is not None and pack.until <= ends


def _until(trial: Trial, pack: Pack, day: Day) -> date | None:
    """When a pack that is bought on that day would end."""
    if pack.until is None:
        return None
    if _ends_with_window(trial, pack):
        return day.window_end
    return day.day + (pack.until - trial.at)


def _pack(trial: Trial, left: Decimal) -> Pack:
    sizes = [pack.units for pack in trial.packs]
    choice = pack_to_buy(int(left), trial.threshold, trial.chosen.units, sizes)
    if choice is None or choice.units == trial.chosen.units:
        return trial.chosen
    same = [pack for pack in trial.packs if pack.units == choice.units]
    return min(same, key=lambda pack: pack.amount.minor)
