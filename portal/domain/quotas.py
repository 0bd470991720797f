"""The answer to the question whether so much of a feature may be used now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class WhyNot(StrEnum):
    """NOT_INCLUDED: neither the plan nor an add-on brings any of it."""

    NO_SUBSCRIPTION = "no_subscription"
    SUSPENDED = "suspended"
    NOT_INCLUDED = "not_included"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with one feature. limit and left: None = unlimited, or not counted.

    used: in the quota window, or the level of a held feature. resets_at: the window's end.
    """

    feature: str
    limit: Decimal | None
    used: Decimal
    left: Decimal | None
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class Help:
    """An add-on that can be bought now and brings what is missing, or the most there is.

    units: what one of it brings; None = unlimited, or unlocked.
    """

    add_on: str
    name: str
    price: str
    units: Decimal | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """excess: how many of the units asked for no allowance covers, under a soft limit."""

    standing: Standing
    excess: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RefusedUse:
    standing: Standing
    reason: WhyNot
    help: Help | None


def missing(standing: Standing, units: Decimal) -> Decimal:
    """How many of `units` are not there; exactly what is left may be used."""
    return Decimal(0) if standing.left is None else max(units - standing.left, Decimal(0))


def why_not(standing: Standing) -> WhyNot:
    """Why units are missing: nothing of it was ever granted, or it was and is used."""
    return WhyNot.USED_UP if standing.limit else WhyNot.NOT_INCLUDED
