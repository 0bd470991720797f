"""How much has been used of the units that lines which run now have paid for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.capacity import Cycle
from portal.domain.catalog import AddOn, Feature, Plan, Price
from portal.domain.credits import StoredLine
from portal.domain.grants import LotSource
from portal.domain.periods import Period
from portal.domain.supply import Supply, credits_to_come, most_used, units_of_windows
from portal.models.usage import DrawRow, LotRow
from portal.queries.accounts import AccountState

_Key = int | None
"""An instance's id; None for the plan."""
_Units = defaultdict[_Key, defaultdict[int, Decimal]]
"""By the feature's id."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The plan or an instance: what it brings, and its clocks. since: when it was attached."""

    of: Plan | AddOn
    price: Price
    cycle: Cycle
    since: datetime


def supplies(
    session: Session, scope: Scope, state: AccountState, lines: Iterable[StoredLine]
) -> dict[int | None, Supply]:
    """By instance, None for the plan: of what `lines` have paid for and runs now, the feature of
    which the largest share is used; nothing where none is.

    Lines about the same units share them. Source: ADR 0029.
    """
    paid = defaultdict[_Key, list[tuple[Period, int]]](list)
    for line in lines:
        if line.period is not None and state.now in line.period:
            paid[line.instance_id].append((line.period, line.quantity))
    since = {key: min(period.start for period, _ in spans) for key, spans in paid.items()}
    if not since:
        return {}
    used = _units(session, _drawn(scope, state, since))
    given = _units(session, _credited(scope, state, since))
    found = {}
    for key, spans in paid.items():
        brought = _brought(state, key, spans, given[key])
        if (most := most_used(brought, used[key])) is not None:
            found[key] = most
    return found


def _brought(
    state: AccountState, key: _Key, paid: Iterable[tuple[Period, int]], given: Mapping[int, Decimal]
) -> dict[Feature, Decimal]:
    """given: credits that are there already, by the feature's id."""
    source, brought = _source(state, key), defaultdict[Feature, Decimal](Decimal)
    if source is None:
        return brought
    for feature in {grant.feature for grant in source.of.credit_grants}:
        brought[feature] += given.get(feature.id, Decimal(0))
    for period, quantity in paid:
        for feature, units in _of_line(source, period, quantity, state.now):
            brought[feature] += units
    return brought


def _of_line(
    source: _Source, period: Period, quantity: int, at: datetime
) -> Iterator[tuple[Feature, Decimal]]:
    yield from units_of_windows(source.of.entitlements, quantity, source.cycle, period)
    ahead = Period(at, period.end)
    yield from credits_to_come(
        source.of.credit_grants, quantity, source.price, source.cycle, source.since, ahead
    )


def _source(state: AccountState, key: _Key) -> _Source | None:
    subscription = state.subscription
    if subscription is None:
        return None
    cycle = subscription.cycle
    if key is None:
        return _Source(subscription.plan, subscription.price, cycle, cycle.billing_anchor.at)
    for each in state.instances:
        if each.id == key:
            return _Source(each.add_on, each.price, each.own_cycle(cycle), each.span.starts_at)
    return None


def _drawn(
    scope: Scope, state: AccountState, since: Mapping[_Key, datetime]
) -> Select[_Key, int, Decimal]:
    """What was used of each: of windows, whenever they began; of credits, those that came since."""
    draws = and_(DrawRow.environment_id == LotRow.environment_id, DrawRow.lot_id == LotRow.id)
    mine = (
        and_(_mine(key), DrawRow.at >= at, or_(LotRow.effective_at >= at, _is_window()))
        for key, at in since.items()
    )
    wanted = select(LotRow.instance_id, LotRow.feature_id, func.sum(DrawRow.units))
    return (
        wanted.join(DrawRow, draws)
        .where(LotRow.environment_id == scope.environment_id, _is_of(state), or_(*mine))
        .group_by(LotRow.instance_id, LotRow.feature_id)
    )


def _credited(
    scope: Scope, state: AccountState, since: Mapping[_Key, datetime]
) -> Select[_Key, int, Decimal]:
    """The credits that came."""
    mine = (
        and_(_mine(key), LotRow.effective_at.between(at, state.now), not_(_is_window()))
        for key, at in since.items()
    )
    wanted = select(LotRow.instance_id, LotRow.feature_id, func.sum(LotRow.granted))
    return wanted.where(
        LotRow.environment_id == scope.environment_id, _is_of(state), or_(*mine)
    ).group_by(LotRow.instance_id, LotRow.feature_id)


def _is_of(state: AccountState) -> ColumnElement[bool]:
    return LotRow.account_id == state.account.id


def _mine(key: _Key) -> ColumnElement[bool]:
    if key is not None:
        return LotRow.instance_id == key
    return and_(LotRow.instance_id.is_(None), LotRow.source == LotSource.PLAN)


def _is_window() -> ColumnElement[bool]:
    """What a quota window brought, and no credit grant."""
    return or_(LotRow.source == LotSource.INSTANCE, LotRow.source_key.like("plan:%"))


def _units(session: Session, wanted: Select[_Key, int, Decimal]) -> _Units:
    found = _Units(lambda: defaultdict(Decimal))
    for key, feature_id, units in session.execute(wanted):
        found[key][feature_id] += units
    return found
