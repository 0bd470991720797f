"""Use by day, by month and by dimension, from the days that were counted; never from events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, cast, false, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.forecast import RunRate, rate_since, run_rate_of
from portal.models.catalog import FeatureRow
from portal.models.usage import UsageDayRow

MOST_VALUES = 8
"""Of one dimension that are named one by one."""


@dataclass(frozen=True, slots=True)
class Month:
    """first: its first day. units: used in it. highest: of one day; of a held feature the level."""

    first: date
    units: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What was used of one value of a dimension."""

    value: str
    units: Decimal


@dataclass(frozen=True, slots=True)
class Breakdown:
    """shares: the largest first. others: values that are not named one by one, and their units.

    rest: what was reported without this dimension; below zero after a correction without it.
    """

    dimension: str
    shares: tuple[Share, ...]
    others: int
    other_units: Decimal
    rest: Decimal = Decimal(0)

    @property
    def whole(self) -> Decimal:
        """Without the rest."""
        return sum((share.units for share in self.shares), self.other_units)


@dataclass(frozen=True, slots=True)
class DayLine:
    """dimension and value: empty for all of the day; only the value: for what has none."""

    day: date
    dimension: str
    value: str
    units: Decimal


def run_rates(
    session: Session, scope: Scope, account_id: int, features: Iterable[int], today: date
) -> dict[int, RunRate]:
    """The pace of each feature that has one, by its id, in one statement.

    today: a day of the account's zone. Reads the days of the rate, and finds the first by index.
    """
    row, feature = UsageDayRow, FeatureRow
    mine = (*_mine(scope, account_id), row.feature_id == feature.id, row.dimension == "")
    units = select(func.sum(row.units)).where(*mine, row.day >= rate_since(today), row.day < today)
    first = select(func.min(row.day)).where(*mine, row.units > 0)
    wanted = select(feature.id, units.scalar_subquery(), first.scalar_subquery()).where(
        feature.environment_id == scope.environment_id, feature.id.in_(set(features))
    )
    found = {}
    for feature_id, used, began in session.execute(wanted):
        rate = run_rate_of(used or Decimal(0), began, today)
        if rate is not None:
            found[feature_id] = rate
    return found


def daily(
    session: Session, scope: Scope, account_id: int, since: date
) -> dict[int, dict[date, Decimal]]:
    """Units of each day by feature id; of a held feature the day's highest level."""
    row = UsageDayRow
    wanted = select(row.feature_id, row.day, row.units).where(
        *_mine(scope, account_id), row.dimension == "", row.day >= since
    )
    found: dict[int, dict[date, Decimal]] = {}
    for feature_id, day, units in session.execute(wanted):
        found.setdefault(feature_id, {})[day] = units
    return found


def monthly(
    session: Session, scope: Scope, account_id: int, since: date
) -> dict[int, tuple[date, tuple[Month, ...]]]:
    """The first day of use and the calendar months with use, by feature id, in order."""
    row = UsageDayRow
    month = cast(func.date_trunc("month", row.day), Date)
    wanted = (
        select(
            row.feature_id, month, func.sum(row.units), func.max(row.units),
            func.min(row.day).filter(row.units > 0),
        )
        .where(*_mine(scope, account_id), row.dimension == "", row.day >= since)
        .group_by(row.feature_id, month)
        .order_by(row.feature_id, month)
    )  # fmt: skip
    found: dict[int, tuple[date, tuple[Month, ...]]] = {}
    for feature_id, first, units, highest, began in session.execute(wanted):
        if began is not None or feature_id in found:
            since_then, months = found.get(feature_id, (began, ()))
            found[feature_id] = (since_then, (*months, Month(first, units, highest)))
    return found


def breakdowns(
    session: Session, scope: Scope, account_id: int, since: Mapping[int, date]
) -> dict[int, tuple[Breakdown, ...]]:
    """By dimension and feature id; since: the first day that counts, by feature id."""
    found: dict[int, dict[str, Breakdown]] = {}
    for line in session.execute(_largest(scope, account_id, since)):
        parts = found.setdefault(line.feature_id, {})
        so_far = parts.get(
            line.dimension, Breakdown(line.dimension, (), line.values_there, line.whole)
        )
        parts[line.dimension] = Breakdown(
            line.dimension,
            (*so_far.shares, Share(line.value, line.units)),
            so_far.others - 1,
            so_far.other_units - line.units,
        )
    return {feature_id: tuple(parts.values()) for feature_id, parts in found.items()}


def _largest(scope: Scope, account_id: int, since: Mapping[int, date]) -> Select[Any]:
    """The largest values of each dimension, in order, with how many and how much there is."""
    row = UsageDayRow
    key = (row.feature_id, row.dimension)
    units = func.sum(row.units)
    place = func.row_number().over(partition_by=key, order_by=(units.desc(), row.value))
    each = (
        select(
            *key,
            row.value,
            units.label("units"),
            place.label("place"),
            func.count().over(partition_by=key).label("values_there"),
            func.sum(units).over(partition_by=key).label("whole"),
        )
        .where(*_mine(scope, account_id), row.dimension != "", _since(since), row.units > 0)
        .group_by(*key, row.value)
        .subquery()
    )
    named = select(each).where(each.c.place <= MOST_VALUES)
    return named.order_by(each.c.feature_id, each.c.dimension, each.c.place)


def day_lines(
    session: Session, scope: Scope, account_id: int, feature_id: int, since: date
) -> tuple[DayLine, ...]:
    """Each day's use of one feature, each followed by what it is broken down into."""
    row = UsageDayRow
    wanted = (
        select(row.day, row.dimension, row.value, row.units)
        .where(*_mine(scope, account_id), row.feature_id == feature_id, row.day >= since)
        .order_by(row.day, row.dimension, row.value)
    )
    return tuple(DayLine(*found) for found in session.execute(wanted))


def with_rests(lines: Iterable[DayLine]) -> Iterator[DayLine]:
    """Behind the values of each dimension the line that makes them sum to the day, where needed."""
    for day, of_day in groupby(lines, lambda line: line.day):
        whole = Decimal(0)
        for dimension, found in groupby(of_day, lambda line: line.dimension):
            parts = tuple(found)
            yield from parts
            units = sum((part.units for part in parts), Decimal(0))
            if not dimension:
                whole = units
            elif units != whole:
                yield DayLine(day, dimension, "", whole - units)


def _mine(scope: Scope, account_id: int) -> Iterable[ColumnElement[bool]]:
    row = UsageDayRow
    return (row.environment_id == scope.environment_id, row.account_id == account_id)


def _since(since: Mapping[int, date]) -> ColumnElement[bool]:
    row = UsageDayRow
    wanted = [
        (row.feature_id == feature_id) & (row.day >= day) for feature_id, day in since.items()
    ]
    return or_(false(), *wanted)
