"""Counting what was used, once per event, and drawing it from the lots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.grants import Draw, Drawing, Lot, draw
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow
from portal.models.usage import CounterRow, DrawRow, LotRow, UsageEventRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.usage import LEVEL_WINDOW, is_unlimited, lot_of, quota_window
from portal.services.capacity import open_windows


@dataclass(frozen=True, slots=True)
class Usage:
    """units: used of a consumed feature, or the new level of a held one."""

    event_id: str
    feature: str
    units: Decimal
    occurred_at: datetime


def count(
    session: Session, scope: Scope, account_id: int, reported: list[Usage], wall: WallNow
) -> int:
    """Count events in their order, each id once; commit; return how many were new.

    Checks refuse, counting never does: what no lot covers is excess. Raises ValueError for a
    feature that is not metered or negative units, and counts nothing. Source: product.md §4a.
    """
    _line_up(session, scope, account_id)
    state = account_state(session, scope, account_id, wall)
    features = {f.lookup_key: f for f in state.catalog.features if f.use is not None}
    if problem := _first_problem(reported, features):
        session.rollback()
        raise ValueError(problem)
    counted = 0
    for usage in reported:
        feature = features[usage.feature]
        if _is_new(session, scope, account_id, feature, usage):
            _move(session, scope, state, feature, usage)
            counted += 1
    session.commit()
    return counted


def _line_up(session: Session, scope: Scope, account_id: int) -> None:
    """Let one report of an account be counted at a time: two that name the same events, windows
    or lots in another order would wait for each other in a ring."""
    session.execute(
        select(AccountRow.id)
        .where(AccountRow.environment_id == scope.environment_id, AccountRow.id == account_id)
        .with_for_update(key_share=True)
    )


def _first_problem(reported: list[Usage], features: dict[str, Feature]) -> str | None:
    for usage in reported:
        if usage.feature not in features:
            return f"{usage.feature} is not a metered feature"
        if usage.units < 0:
            return f"{usage.event_id}: units must not be negative"
    return None


def _is_new(
    session: Session, scope: Scope, account_id: int, feature: Feature, usage: Usage
) -> bool:
    stored = session.execute(
        insert(UsageEventRow)
        .values(
            environment_id=scope.environment_id,
            account_id=account_id,
            event_id=usage.event_id,
            feature_id=feature.id,
            units=usage.units,
            occurred_at=usage.occurred_at,
        )
        .on_conflict_do_nothing()
        .returning(UsageEventRow.event_id)
    )
    return stored.first() is not None


def _move(
    session: Session, scope: Scope, state: AccountState, feature: Feature, usage: Usage
) -> None:
    if not feature.is_consumed:
        _set_level(session, scope, state, feature, usage)
        return
    open_windows(session, scope, state, usage.occurred_at)
    excess = Decimal(0)
    if state.subscription is None:
        excess = usage.units  # what is left of packs is not used up without a plan
    elif not is_unlimited(state, feature, usage.occurred_at):
        excess = _draw(session, scope, state, feature, usage).excess
    window = quota_window(state, feature, usage.occurred_at)
    _add(session, scope, state, feature, window.start, usage.units, excess)


def _draw(
    session: Session, scope: Scope, state: AccountState, feature: Feature, usage: Usage
) -> Drawing:
    """Take from the open lots, locked in id order."""
    at = usage.occurred_at
    rows = session.scalars(
        select(LotRow)
        .where(
            LotRow.environment_id == scope.environment_id,
            LotRow.account_id == state.account.id,
            LotRow.feature_id == feature.id,
            LotRow.effective_at <= at,
            or_(LotRow.expires_at.is_(None), LotRow.expires_at > at),
        )
        .order_by(LotRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    lots: list[Lot] = [lot_of(row) for row in rows]
    taken = draw(lots, usage.units, at)
    for each in taken.draws:
        _take(session, scope, state.account.id, each, usage)
    return taken


def _take(session: Session, scope: Scope, account_id: int, each: Draw, usage: Usage) -> None:
    session.execute(
        update(LotRow)
        .where(LotRow.environment_id == scope.environment_id, LotRow.id == each.lot_id)
        .values(remaining=LotRow.remaining - each.units)
    )
    session.add(
        DrawRow(
            environment_id=scope.environment_id,
            account_id=account_id,
            lot_id=each.lot_id,
            event_id=usage.event_id,
            units=each.units,
            at=usage.occurred_at,
        )
    )
    session.flush()


def _add(
    session: Session,
    scope: Scope,
    state: AccountState,
    feature: Feature,
    window_start_at: datetime,
    used: Decimal,
    excess: Decimal,
) -> None:
    fresh = insert(CounterRow).values(
        environment_id=scope.environment_id,
        account_id=state.account.id,
        feature_id=feature.id,
        window_start_at=window_start_at,
        used=used,
        excess=excess,
    )
    moved = {"used": CounterRow.used + used, "excess": CounterRow.excess + excess}
    session.execute(fresh.on_conflict_do_update(index_elements=_COUNTER_KEY, set_=moved))


def _set_level(
    session: Session, scope: Scope, state: AccountState, feature: Feature, usage: Usage
) -> None:
    """A held feature's counter is its present level."""
    fresh = insert(CounterRow).values(
        environment_id=scope.environment_id,
        account_id=state.account.id,
        feature_id=feature.id,
        window_start_at=LEVEL_WINDOW,
        used=usage.units,
        excess=0,
    )
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=_COUNTER_KEY, set_={"used": usage.units, "excess": 0}
        )
    )


_COUNTER_KEY = ["environment_id", "account_id", "feature_id", "window_start_at"]
