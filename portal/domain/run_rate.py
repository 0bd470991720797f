"""What will be used at today's pace: how long units last, and which expire unused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from portal.domain.grants import Lot, burn_rank

PACE_DAYS = 7
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def per_day(days: Mapping[date, Decimal], today: date) -> Decimal:
    """Units a day, over the seven whole days before today."""
    first = today - PACE_DAYS * _DAY
    return sum((n for day, n in days.items() if first <= day < today), Decimal(0)) / PACE_DAYS


def runs_out_at(left: Decimal, pace: Decimal, now: datetime) -> datetime | None:
    """When `left` units are used up at `pace` a day; None for never, or not within 100 years."""
    if not pace or left > pace * 36_500:
        return None
    return now + timedelta(seconds=int(Fraction(left) / Fraction(pace) * 86_400))


@dataclass
class _Burning:
    """A lot on its way, with what is left of it."""

    lot: Lot
    left: Fraction

    @property
    def end(self) -> datetime | None:
        return self.lot.expires_at


def unused(lots: Iterable[Lot], pace: Decimal, now: datetime) -> dict[int, Decimal]:
    """Units by lot, of those that expire, which nobody will have used by then.

    lots: those there are and those that later windows will bring, of one feature. They burn in
    burn order at `pace` units a day, none of it before it is there or after it has ended.
    """
    burning = [_Burning(lot, Fraction(lot.remaining)) for lot in sorted(lots, key=burn_rank)]
    ends = [each.end for each in burning if each.end is not None and each.end > now]
    stops = {*ends, *(each.lot.effective_at for each in burning if each.lot.effective_at > now)}
    at = now
    for stop in sorted(at for at in stops if ends and at <= max(ends)):
        need = Fraction(pace) * Fraction((stop - at) // _TICK, _DAY // _TICK)
        for each in burning:
            if each.lot.is_open(at):
                taken = min(each.left, need)
                each.left, need = each.left - taken, need - taken
        at = stop
    return {each.lot.id: _units(each.left) for each in burning if each.end is not None}


def _units(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
