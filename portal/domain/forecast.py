"""What use comes to at its present pace: how much by then, when nothing is left, what expires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from portal.domain.grants import Lot, burn_rank
from portal.domain.money import round_half_away

RATE_DAYS = 7
SOON = timedelta(days=7)
AT_ONCE = timedelta(hours=24)
FARTHEST = timedelta(days=3650)
"""What lasts longer than this is said to last."""
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_NOTHING = Decimal(0)


class Outlook(StrEnum):
    """ENOUGH: for seven days at least. SOON: runs out within them. AT_ONCE: within 24 hours."""

    ENOUGH = "enough"
    SOON = "soon"
    AT_ONCE = "at_once"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class RunRate:
    """units: used in so many whole days, at most seven. is_today: in the one that is not over."""

    units: Decimal
    days: int
    is_today: bool = False

    @property
    def per_day(self) -> Fraction:
        return Fraction(self.units) / self.days

    @property
    def rounded(self) -> Decimal:
        """Units a day as pages and mails say them: whole ones, with a decimal below ten."""
        scale = 1 if self.per_day >= 10 else 10
        return Decimal(round_half_away(self.per_day * scale)) / scale


@dataclass(frozen=True, slots=True)
class Supply:
    """Units that may still be used, until an instant; None = without an end."""

    left: Decimal
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """at_end: used by the window's end, up to a whole unit.

    runs_out_at: from when on use is not covered; None when that does not come before there is more.
    short: units that are missing by the window's end, up to a whole one.
    """

    rate: RunRate
    at_end: Decimal
    runs_out_at: datetime | None
    short: Decimal


@dataclass
class _Burning:
    """A lot on its way, with what is left of it."""

    lot: Lot
    left: Fraction

    @property
    def end(self) -> datetime | None:
        return self.lot.expires_at


def rate_since(today: date) -> date:
    """The first of the seven whole days before `today`."""
    return today - RATE_DAYS * _DAY


def run_rate_of(units: Decimal, first: date | None, today: date) -> RunRate | None:
    """The pace of the seven whole days before `today`, or of those since the `first` day of use.

    units: used in the seven. None before one whole day has passed. Source: product.md §5 (7-day
    run rate).
    """
    days = min((today - first).days, RATE_DAYS) if first else 0
    return RunRate(units, days) if days >= 1 else None


def with_today(rate: RunRate, units: Decimal) -> RunRate:
    """The pace, or what was used today where that is more already: a rush is no calm week."""
    return RunRate(units, 1, is_today=True) if units > rate.per_day else rate


def forecast(
    rate: RunRate,
    used: Decimal,
    supplies: Iterable[Supply] | None,
    now: datetime,
    end: datetime,
    *,
    refills: bool,
) -> Forecast:
    """What `used` units become by `end`, the window's.

    supplies: in burn order, open now; None = unlimited. refills: there is more from `end` on.
    """
    span, at_end = _days(end - now), used_by(rate, used, now, end)
    lasts = None if supplies is None else _lasts(supplies, rate.per_day, now)
    if lasts is None or (refills and lasts >= span):
        return Forecast(rate, at_end, None, _NOTHING)
    runs_out_at = now + int(lasts * (_DAY // _TICK)) * _TICK
    short = _whole(rate.per_day * max(span - lasts, Fraction(0)))
    return Forecast(rate, at_end, runs_out_at, short)


def used_by(rate: RunRate, used: Decimal, now: datetime, then: datetime) -> Decimal:
    """What `used` units become by `then` at this pace, up to a whole unit."""
    return _whole(Fraction(used) + rate.per_day * _days(then - now)) if rate.units else used


def used_up_at(left: Decimal, per_day: Fraction, now: datetime) -> datetime | None:
    """When `left` units are used up at `per_day`; None for never, or not within ten years."""
    if not per_day or Fraction(left) / per_day > FARTHEST.days:
        return None
    return now + timedelta(seconds=int(Fraction(left) / per_day * 86_400))


def outlook(left: Decimal | None, runs_out_at: datetime | None, now: datetime) -> Outlook:
    """left: None = unlimited. Source: product.md §5 (green, amber, red)."""
    if left is not None and left <= 0:
        return Outlook.USED_UP
    if runs_out_at is None or runs_out_at > now + SOON:
        return Outlook.ENOUGH
    return Outlook.AT_ONCE if runs_out_at <= now + AT_ONCE else Outlook.SOON


def unused(lots: Iterable[Lot], per_day: Fraction, now: datetime) -> dict[int, Decimal]:
    """Units by lot, of those that expire, which nobody will have used by then.

    lots: those there are and those that later windows will bring, of one feature. They burn in
    burn order at `per_day` units, none of it before it is there or after it has ended.
    """
    burning = [_Burning(lot, Fraction(lot.remaining)) for lot in sorted(lots, key=burn_rank)]
    ends = [each.end for each in burning if each.end is not None and each.end > now]
    stops = {*ends, *(each.lot.effective_at for each in burning if each.lot.effective_at > now)}
    at = now
    for stop in sorted(at for at in stops if ends and at <= max(ends)):
        need = per_day * _days(stop - at)
        for each in burning:
            if each.lot.is_open(at):
                taken = min(each.left, need)
                each.left, need = each.left - taken, need - taken
        at = stop
    return {each.lot.id: _units(each.left) for each in burning if each.end is not None}


def _lasts(supplies: Iterable[Supply], per_day: Fraction, now: datetime) -> Fraction | None:
    """For how many days use is covered, one supply after the other; None for good, or nearly."""
    holding = [supply for supply in supplies if supply.left > 0]
    if holding and not per_day:
        return None
    days = Fraction(0)
    for supply in holding:
        ends = None if supply.until is None else _days(supply.until - now)
        if ends is None or ends > days:
            emptied = days + Fraction(supply.left) / per_day
            days = emptied if ends is None else min(emptied, ends)
    return None if days > FARTHEST.days else days


def _days(span: timedelta) -> Fraction:
    return Fraction(span // _TICK, _DAY // _TICK)


def _whole(units: Fraction) -> Decimal:
    return Decimal(units.__ceil__())


def _units(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
