"""Lots of consumable units: what a source brings, the burn order, what a draw takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from portal.domain.money import round_half_away

LOT_DECIMALS = 8


class LotSource(StrEnum):
    PLAN = "plan"
    INSTANCE = "instance"
    PACK = "pack"
    CREDIT_GRANT = "credit_grant"


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of one feature that burn together. expires_at: exclusive end, None = never.

    priority: low burns first. promotional: given, not paid for.
    """

    id: int
    granted: Decimal
    remaining: Decimal
    effective_at: datetime
    created_at: datetime
    expires_at: datetime | None = None
    priority: int = 50
    promotional: bool = False

    def is_open(self, at: datetime) -> bool:
        """True when the lot may be drawn from at `at`, whether or not anything is left."""
        return self.effective_at <= at and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True)
class Draw:
    lot_id: int
    units: Decimal


@dataclass(frozen=True, slots=True)
class Drawing:
    """Which lots a use took from; `excess` units found no lot."""

    draws: tuple[Draw, ...]
    excess: Decimal


def burn_rank(lot: Lot) -> tuple[int, bool, datetime, bool, datetime, datetime, int]:
    """Sort key of the burn order.

    Priority, soonest expiry at whole seconds (none last), promotional before paid, effective,
    created, id. Source: product.md §6 (burn order).
    """
    end = (lot.expires_at or lot.created_at).replace(microsecond=0)
    return (
        lot.priority,
        lot.expires_at is None,
        end if lot.expires_at else datetime.min.replace(tzinfo=end.tzinfo),
        not lot.promotional,
        lot.effective_at,
        lot.created_at,
        lot.id,
    )


def available(lots: Iterable[Lot], at: datetime) -> Decimal:
    """Units that can be drawn at `at`."""
    return sum((lot.remaining for lot in lots if lot.is_open(at)), Decimal(0))


def draw(lots: Iterable[Lot], units: Decimal, at: datetime) -> Drawing:
    """Take `units` in burn order from the lots open at `at`.

    Raises ValueError for negative units.
    """
    if units < 0:
        raise ValueError("a draw takes a non-negative number of units")
    taken: list[Draw] = []
    for lot in sorted((lot for lot in lots if lot.is_open(at)), key=burn_rank):
        if not units:
            break
        share = min(lot.remaining, units)
        if share:
            taken.append(Draw(lot.id, share))
            units -= share
    return Drawing(tuple(taken), units)


def window_units(limit: int, quantity: int, fraction: Fraction) -> int:
    """Units of a window lot that is paid for `fraction` of its window, up to a whole unit.

    Source: product.md §4a (mid-window recurring instance).
    """
    return (limit * quantity * fraction).__ceil__()


def credit_units(credits: Decimal, quantity: int, fraction: Fraction) -> Decimal:
    """Credits of a recurring grant for `fraction` of its period, to 8 decimals (C1-C3)."""
    exact = Fraction(credits) * quantity * fraction
    return Decimal(round_half_away(exact * 10**LOT_DECIMALS)).scaleb(-LOT_DECIMALS)
