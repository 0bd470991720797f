"""How much of its quotas an account has used, and at which thresholds its members were told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.alerts import Load, reached
from portal.domain.catalog import Feature, FeatureType
from portal.domain.entitlements import resolve
from portal.domain.periods import Period
from portal.queries.accounts import AccountState
from portal.queries.usage import LEVEL_WINDOW, quota_windows, sources_of


@dataclass(frozen=True, slots=True)
class QuotaLoad:
    """told: the largest allowance, by threshold, under which it was told in this window.

    window: the quota window; of a held feature the one in which it is told once.
    """

    feature: Feature
    load: Load
    window: Period
    told: dict[int, Decimal]


_LOADS = text("""
select f.id, coalesce(c.used, 0) as used, coalesce(c.excess, 0) as excess,
    (select coalesce(sum(l.remaining), 0) from lots l where l.environment_id = :environment
        and l.account_id = :account and l.feature_id = f.id and l.effective_at <= :now
        and (l.expires_at is null or l.expires_at > :now)) as remaining,
    (select jsonb_object_agg(threshold, allowance) from (
        select threshold, max(allowance)::text as allowance from quota_alerts a
        where a.environment_id = :environment and a.account_id = :account
        and a.feature_id = f.id and a.window_start_at = f.told_in group by threshold) a) as told
from unnest(cast(:features as bigint[]), cast(:counted_in as timestamptz[]),
    cast(:told_in as timestamptz[])) as f (id, counted_in, told_in)
left join counters c on c.environment_id = :environment and c.account_id = :account
    and c.feature_id = f.id and c.window_start_at = f.counted_in
""")


def loads(
    session: Session, scope: Scope, state: AccountState, features: Iterable[Feature]
) -> tuple[QuotaLoad, ...]:
    """Of those that are limited now, in one statement; none without a plan.

    What the allowance covered counts, not the excess: all of a quota is used when nothing is left.
    The lots of the present windows are open.
    """
    windows = {f: window_at(state, f, state.now) for f in features if f.type is FeatureType.METERED}
    if state.subscription is None or not windows:
        return ()
    asked = list(windows)
    rows = session.execute(
        _LOADS,
        {
            "environment": scope.environment_id,
            "account": state.account.id,
            "now": state.now,
            "features": [f.id for f in asked],
            "counted_in": [windows[f].start if f.is_consumed else LEVEL_WINDOW for f in asked],
            "told_in": [windows[f].start for f in asked],
        },
    )
    found = {row.id: row for row in rows}
    return tuple(
        QuotaLoad(f, load, windows[f], _told(found[f.id].told))
        for f in asked
        if (load := _load(state, f, found[f.id])).allowance is not None
    )


def told_loads(session: Session, scope: Scope, state: AccountState) -> tuple[QuotaLoad, ...]:
    """Quotas whose members were told in this window, and that still are as far used."""
    found = loads(session, scope, state, state.catalog.features)
    return tuple(each for each in found if each.told and reached(each.load))


def window_at(state: AccountState, feature: Feature, at: datetime) -> Period:
    """The quota window of `feature` that contains `at`."""
    anchor, interval = quota_windows(state, feature)
    return anchor.period_at(at, interval)


def _load(state: AccountState, feature: Feature, row: Row[tuple[object, ...]]) -> Load:
    resolved = resolve(feature, sources_of(state), state.now)
    if resolved.is_enabled and resolved.limit is None:
        return Load(row.used, None)
    if not feature.is_consumed:
        return Load(row.used, Decimal(resolved.limit or 0))
    covered = row.used - row.excess
    return Load(covered, covered + row.remaining)


def _told(found: dict[str, str] | None) -> dict[int, Decimal]:
    return {int(threshold): Decimal(units) for threshold, units in (found or {}).items()}
