"""What values of an auto-recharge would have done with an account's real last 30 days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.forecast import rate_since, run_rate_of
from portal.domain.grants import LotSource
from portal.domain.recharge_simulation import SIMULATED, Day, Held, Simulated, Trial, simulate
from portal.models.purchases import PurchaseRow
from portal.models.usage import DrawRow, LotRow, UsageEventRow
from portal.queries.accounts import AccountState
from portal.queries.recharge import allowance_of, used_days
from portal.queries.recharge_pages import Recharging, Values
from portal.queries.usage import quota_windows

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Span:
    """first, today: the days that are simulated. starts: on which a window begins, in order, from
    the one before `first` to the one after today. end: of the present window."""

    first: date
    today: date
    starts: tuple[date, ...]
    end: datetime

    def start_of(self, day: date) -> date:
        return max((start for start in self.starts if start <= day), default=self.first)

    def end_of(self, day: date) -> date | None:
        return min((start for start in self.starts if start > day), default=None)


def simulated(
    session: Session, scope: Scope, state: AccountState, shown: Recharging, values: Values
) -> Simulated | None:
    """What these values would have done with the real use of the last 30 days.

    The plan's units as they are today; all else as it really was there, less what auto-recharge
    bought in these days.
    """
    pack = shown.pack(values.pack)
    if pack is None:
        return None
    span = _span(state, shown.feature)
    opening, days = _lived(session, scope, state, shown.feature, span)
    trial = Trial(
        values.threshold, pack, shown.packs, values.cap, values.cooldown, tuple(opening),
        state.now, span.end,
    )  # fmt: skip
    return simulate(trial, days)


def _lived(
    session: Session, scope: Scope, state: AccountState, feature: Feature, span: _Span
) -> tuple[list[Held], list[Day]]:
    """What there was before the first day, and what came and was used on each."""
    before = min(span.starts[0], rate_since(span.first)) - timedelta(days=1)
    used = used_days(session, scope, state.account.id, feature, before, span.today)
    opening, brought = _others(session, scope, state, feature, span)
    granted, began = Decimal(allowance_of(state, feature)), span.start_of(span.first)
    earlier = sum((n for day, n in used.items() if began <= day < span.first), _NOTHING)
    opening.append(Held(max(granted - earlier, _NOTHING), span.end_of(span.first)))
    for start in span.starts:
        if start > span.first:
            brought.setdefault(start, []).append(Held(granted, span.end_of(start)))
    days = [
        Day(
            day, used.get(day, _NOTHING), tuple(brought.get(day, ())), span.end_of(day),
            _pace(used, day),
        )
        for day in (span.first + timedelta(days=n) for n in range(SIMULATED.days))
    ]  # fmt: skip
    return opening, days


def _pace(used: Mapping[date, Decimal], day: date) -> Decimal:
    """Units a day as the usage page said on the morning of that day."""
    units = sum((n for each, n in used.items() if rate_since(day) <= each < day), _NOTHING)
    rate = run_rate_of(units, min(used, default=None), day)
    return rate.units / rate.days if rate else _NOTHING


def _span(state: AccountState, feature: Feature) -> _Span:
    anchor, interval = quota_windows(state, feature)
    zone = ZoneInfo(state.account.zone)
    today = state.now.astimezone(zone).date()
    first = today - SIMULATED + timedelta(days=1)
    period = anchor.period_at(_begin(first, zone), interval)
    starts = [period.start.astimezone(zone).date()]
    while starts[-1] <= today:
        starts.append(period.end.astimezone(zone).date())
        period = anchor.period_at(period.end, interval)
    return _Span(first, today, tuple(starts), anchor.period_at(state.now, interval).end)


def _others(
    session: Session, scope: Scope, state: AccountState, feature: Feature, span: _Span
) -> tuple[list[Held], dict[date, list[Held]]]:
    """What there was besides the plan's own: before the first day, and what came on which day."""
    zone = ZoneInfo(state.account.zone)
    since, row = _begin(span.first, zone), LotRow
    rows = session.scalars(
        select(row).where(
            row.environment_id == scope.environment_id,
            row.account_id == state.account.id,
            row.feature_id == feature.id,
            row.source != LotSource.PLAN,
            row.effective_at <= state.now,
            or_(row.expires_at.is_(None), row.expires_at > since),
        )
    ).all()
    there = [lot for lot in rows if lot.effective_at < since]
    drawn = _drawn(session, scope, [lot.id for lot in there], span.first)
    opening = [Held(lot.remaining + drawn.get(lot.id, _NOTHING), _end(lot, zone)) for lot in there]
    by_itself = _by_itself(session, scope, state)
    brought: dict[date, list[Held]] = {}
    for lot in rows:
        if lot.effective_at >= since and lot.instance_id not in by_itself:
            day = lot.effective_at.astimezone(zone).date()
            brought.setdefault(day, []).append(Held(lot.granted, _end(lot, zone)))
    return opening, brought


def _drawn(session: Session, scope: Scope, lots: list[int], since: date) -> dict[int, Decimal]:
    """What use from that day on took from each lot."""
    row, event = DrawRow, UsageEventRow
    found = session.execute(
        select(row.lot_id, func.sum(row.units))
        .join(event, event.id == row.usage_event_id)
        .where(
            row.environment_id == scope.environment_id,
            event.environment_id == scope.environment_id,
            row.lot_id.in_(lots),
            event.day >= since,
        )
        .group_by(row.lot_id)
    )
    return {lot_id: units for lot_id, units in found}  # noqa: C416  a row is no pair to mypy


def _by_itself(session: Session, scope: Scope, state: AccountState) -> set[int | None]:
    """Instances that auto-recharge has bought."""
    row = PurchaseRow
    mine = select(row.instance_id).where(
        row.environment_id == scope.environment_id,
        row.account_id == state.account.id,
        row.policy_id.is_not(None),
    )
    return set(session.scalars(mine))


def _end(lot: LotRow, zone: ZoneInfo) -> date | None:
    return lot.expires_at.astimezone(zone).date() if lot.expires_at else None


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)
