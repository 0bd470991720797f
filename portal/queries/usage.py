"""Meters: what is used of each metered feature, what is left, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.capacity import MONTH
from portal.domain.catalog import Feature, FeatureType
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Lot, LotSource, available, burn_rank
from portal.domain.instances import HELD_PHASES
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period
from portal.models.usage import CounterRow, LotRow
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import plan_at, plan_spans, stops_granting

LEVEL_WINDOW = datetime(1970, 1, 1, tzinfo=UTC)
"""The one window of a held feature: a level does not reset."""


@dataclass(frozen=True, slots=True)
class MeterSource:
    """kind: plan, or the add-on's. units: None = unlimited. left: of a lot; None for a level."""

    kind: SourceKind
    name: str
    units: Decimal | None
    left: Decimal | None
    until: datetime | None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Meter:
    """One metered feature. allowance and left: None = unlimited.

    used: units used in the window, or the present level of a held feature.
    allowance: what was there to be used in this window, used and expired lots included.
    """

    feature: Feature
    used: Decimal
    allowance: Decimal | None
    left: Decimal | None
    excess: Decimal
    window: Period | None
    sources: tuple[MeterSource, ...]

    @property
    def percent(self) -> int | None:
        """Whole percent used, capped at 100; None when unlimited."""
        if self.allowance is None:
            return None
        if self.allowance <= 0:
            return 100 if self.used > 0 else 0
        return min(int(self.used * 100 / self.allowance), 100)


def meters(session: Session, scope: Scope, state: AccountState) -> tuple[Meter, ...]:
    """A meter for every metered feature the account has a source of or has used.

    Without a plan there is nothing to measure against.
    """
    if state.subscription is None:
        return ()
    return tuple(m for m in every_meter(session, scope, state) if m.sources or m.used)


def every_meter(session: Session, scope: Scope, state: AccountState) -> tuple[Meter, ...]:
    """A meter for every metered feature of the catalog, empty ones too."""
    lots = _open_lots(session, scope, state)
    counters = _counters(session, scope, state)
    metered = [f for f in state.catalog.features if f.type is FeatureType.METERED]
    return tuple(_meter(state, feature, lots, counters) for feature in metered)


def meter_of(session: Session, scope: Scope, state: AccountState, feature: Feature) -> Meter:
    """The meter of one metered feature, empty where the account has nothing of it."""
    lots = _open_lots(session, scope, state)
    return _meter(state, feature, lots, _counters(session, scope, state))


def quota_windows(state: AccountState, feature: Feature) -> tuple[Anchor, Interval]:
    """The series of windows in which use of `feature` is counted; without a plan, the months."""
    if state.subscription is None:
        return Anchor(LEVEL_WINDOW, state.account.zone), MONTH
    plan = plan_at(state, state.now)
    period = next(
        (
            e.usage_reset_period
            for e in (plan.entitlements if plan else ())
            if e.feature.id == feature.id and e.usage_reset_period
        ),
        BillingPeriod.MONTHLY,
    )
    return state.subscription.cycle.quota_anchor, Interval(period)


def unlimited_sources(state: AccountState, feature: Feature) -> tuple[Source, ...]:
    """Sources without a limit: while one is in force, use draws nothing and is never excess."""
    return tuple(
        s for s in sources_of(state) if s.entitlement.feature == feature if s.limit is None
    )


def sources_of(
    state: AccountState, without: int | None = None, instead: int = 0
) -> tuple[Source, ...]:
    """Every entitlement that the plan and the held instances bring; of a change of plan that is
    agreed on, both plans' in turn.

    without: an instance that has `instead` units; none leaves it out.
    """
    if state.subscription is None:
        return ()
    found = [
        Source(SourceKind.PLAN, plan.name, e, 1, start, ends_at)
        for plan, start, ends_at in plan_spans(state)
        for e in plan.entitlements
    ]
    for instance in state.instances:
        quantity = instead if instance.id == without else instance.quantity
        if instance.phase in HELD_PHASES and quantity:
            found += [
                Source(
                    SourceKind.ADD_ON,
                    instance.add_on.name,
                    e,
                    quantity,
                    instance.span.starts_at,
                    stops_granting(state, instance),
                )
                for e in instance.add_on.entitlements
            ]
    return tuple(found)


def lot_of(row: LotRow) -> Lot:
    return Lot(
        id=row.id,
        granted=row.granted,
        remaining=row.remaining,
        effective_at=row.effective_at,
        created_at=row.created_at,
        expires_at=row.expires_at,
        priority=row.priority,
        promotional=row.promotional,
    )


def _meter(
    state: AccountState,
    feature: Feature,
    lots: list[LotRow],
    counters: dict[tuple[int, datetime], CounterRow],
) -> Meter:
    meter = _consumed if feature.is_consumed else _held
    return meter(state, feature, lots, counters)


def _consumed(
    state: AccountState,
    feature: Feature,
    lots: list[LotRow],
    counters: dict[tuple[int, datetime], CounterRow],
) -> Meter:
    mine = sorted(
        (r for r in lots if r.feature_id == feature.id), key=lambda r: burn_rank(lot_of(r))
    )
    anchor, interval = quota_windows(state, feature)
    window = anchor.period_at(state.now, interval) if state.subscription else None
    counter = counters.get((feature.id, window.start)) if window else None
    used = counter.used if counter else Decimal(0)
    excess = counter.excess if counter else Decimal(0)
    left = available([lot_of(row) for row in mine], state.now)
    resolved = resolve(feature, sources_of(state), state.now)
    unlimited = resolved.is_enabled and resolved.limit is None
    return Meter(
        feature=feature,
        used=used,
        allowance=None if unlimited else left + used - excess,
        left=None if unlimited else left,
        excess=excess,
        window=window,
        sources=_unlimited(resolved.sources) or tuple(_lot_source(state, row) for row in mine),
    )


def _unlimited(sources: tuple[Source, ...]) -> tuple[MeterSource, ...]:
    return tuple(
        MeterSource(s.kind, s.name, None, None, s.ends_at, s.quantity)
        for s in sources
        if s.limit is None
    )


def _held(
    state: AccountState,
    feature: Feature,
    lots: list[LotRow],
    counters: dict[tuple[int, datetime], CounterRow],
) -> Meter:
    counter = counters.get((feature.id, LEVEL_WINDOW))
    used = counter.used if counter else Decimal(0)
    resolved = resolve(feature, sources_of(state), state.now)
    limit = None if resolved.limit is None else Decimal(resolved.limit)
    return Meter(
        feature=feature,
        used=used,
        allowance=limit,
        left=None if limit is None else max(limit - used, Decimal(0)),
        excess=Decimal(0) if limit is None else max(used - limit, Decimal(0)),
        window=None,
        sources=tuple(
            MeterSource(
                s.kind,
                s.name,
                None if s.limit is None else Decimal(s.limit),
                None,
                s.ends_at,
                s.quantity,
            )
            for s in resolved.sources
        ),
    )


def _lot_source(state: AccountState, row: LotRow) -> MeterSource:
    instance = next((i for i in state.instances if i.id == row.instance_id), None)
    if row.source == LotSource.PLAN or instance is None:
        plan = plan_at(state, row.effective_at)
        name = plan.name if plan else ""
        return MeterSource(SourceKind.PLAN, name, row.granted, row.remaining, row.expires_at)
    return MeterSource(
        SourceKind.ADD_ON,
        instance.add_on.name,
        row.granted,
        row.remaining,
        row.expires_at,
        instance.quantity,
    )


def _open_lots(session: Session, scope: Scope, state: AccountState) -> list[LotRow]:
    statement = select(LotRow).where(
        LotRow.environment_id == scope.environment_id,
        LotRow.account_id == state.account.id,
        LotRow.effective_at <= state.now,
        or_(LotRow.expires_at.is_(None), LotRow.expires_at > state.now),
    )
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _counters(
    session: Session, scope: Scope, state: AccountState
) -> dict[tuple[int, datetime], CounterRow]:
    statement = select(CounterRow).where(
        CounterRow.environment_id == scope.environment_id,
        CounterRow.account_id == state.account.id,
    )
    rows = session.scalars(statement.execution_options(populate_existing=True))
    return {(row.feature_id, row.window_start_at.astimezone(UTC)): row for row in rows}
