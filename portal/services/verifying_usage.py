"""Recomputing lots, counters and days from the ledger of use: events, draws and arrears."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.queries.usage import LEVEL_WINDOW

_LOTS = """
select 'lot ' || l.id || ': ' || trim_scale(l.granted) || ' granted, ' || trim_scale(t.units)
    || ' drawn, yet ' || trim_scale(l.remaining) || ' left'
from lots l cross join lateral (
    select coalesce(sum(d.units), 0) as units from draws d
    where d.environment_id = l.environment_id and d.lot_id = l.id) t
where l.environment_id = :environment and l.granted - t.units <> l.remaining order by l.id
"""
_DRAWS = """
select 'event ' || e.event_id || ' of account ' || e.account_id || ': ' || trim_scale(e.units)
    || ' used, ' || trim_scale(t.units) || ' drawn, ' || trim_scale(e.excess) || ' in excess'
from usage_events e join (
    select usage_event_id, sum(units) as units from draws where environment_id = :environment
    group by usage_event_id) t on t.usage_event_id = e.id
where e.environment_id = :environment and (
    t.units + e.excess > greatest(e.units, 0) or t.units + e.excess < least(e.units, 0))
order by e.id
"""
_COUNTERS = """
with ledger as (
    select account_id, feature_id, window_start_at, sum(units) as used, sum(excess) as excess
    from usage_events where environment_id = :environment and window_start_at <> :levels
    group by 1, 2, 3
    union all
    (select distinct on (account_id, feature_id) account_id, feature_id, window_start_at, units, 0
    from usage_events where environment_id = :environment and window_start_at = :levels
    order by account_id, feature_id, occurred_at desc, id desc))
select 'account ' || account_id || ', feature ' || feature_id || ', window of ' || window_start_at
    || ': the counter says ' || coalesce(trim_scale(c.used) || ' and ' || trim_scale(c.excess)
    || ' in excess', 'nothing') || ', its events ' || coalesce(trim_scale(l.used) || ' and '
    || trim_scale(l.excess), 'nothing')
from ledger l full join (select * from counters where environment_id = :environment) c
    using (account_id, feature_id, window_start_at)
where (l.used, l.excess) is distinct from (c.used, c.excess)
order by account_id, feature_id, window_start_at
"""
_ARREARS = """
with ledger as (
    select account_id, feature_id, window_start_at, sum(units) as units
    from arrears where environment_id = :environment group by 1, 2, 3)
select 'account ' || account_id || ', feature ' || feature_id || ', window of ' || window_start_at
    || ': the counter says ' || coalesce(trim_scale(c.settled)::text, 'nothing')
    || ' settled, its arrears ' || coalesce(trim_scale(l.units)::text, 'nothing')
from ledger l full join (select * from counters where environment_id = :environment) c
    using (account_id, feature_id, window_start_at)
where coalesce(l.units, 0) is distinct from coalesce(c.settled, 0)
order by account_id, feature_id, window_start_at
"""
_DAYS = """
with parts as (
    select account_id, feature_id, day, window_start_at = :levels as held, units, '' as dimension,
        '' as value
    from usage_events where environment_id = :environment
    union all
    select account_id, feature_id, day, window_start_at = :levels, units, part.key, part.value
    from usage_events, jsonb_each_text(dimensions) part where environment_id = :environment),
ledger as (
    select account_id, feature_id, day, dimension, value,
        case when bool_and(held) then max(units) else sum(units) end as units
    from parts group by 1, 2, 3, 4, 5)
select 'account ' || account_id || ', feature ' || feature_id || ', ' || day || ' '
    || dimension || ' ' || value || ': the day says ' || coalesce(trim_scale(d.units)::text,
    'nothing') || ', its events ' || coalesce(trim_scale(l.units)::text, 'nothing')
from ledger l full join (select * from usage_days where environment_id = :environment) d
    using (account_id, feature_id, day, dimension, value)
where l.units is distinct from d.units
order by account_id, feature_id, day, dimension, value
"""


def verify_usage(session: Session, scope: Scope) -> list[str]:
    """One sentence for each lot, event, counter or day that differs from the ledger."""
    given = {"environment": scope.environment_id, "levels": LEVEL_WINDOW}
    found: list[str] = []
    for statement in (_LOTS, _DRAWS, _COUNTERS, _ARREARS, _DAYS):
        found += session.scalars(text(statement), given)
    return found
