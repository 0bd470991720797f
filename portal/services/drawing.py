"""Counting the events of one account and drawing them from its lots, in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.services.placing import Placed


@dataclass(frozen=True, slots=True)
class Fresh:
    """An event that was not counted before. drawn: units of it that were no excess.

    counted_before: what its counter held before the report; of a held feature the level.
    """

    drawn: Decimal
    counted_before: Decimal


_COLUMNS = {
    "seq": "bigint",
    "event_id": "text",
    "feature_id": "bigint",
    "units": "numeric",
    "occurred_at": "timestamptz",
    "counted_at": "timestamptz",
    "window_start_at": "timestamptz",
    "day": "date",
    "late": "boolean",
    "reason": "text",
    "dimensions": "jsonb",
    "draws": "boolean",
    "held": "boolean",
}
_TYPED = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())

_FRESH = """
used as materialized (select src.* from src join fresh using (event_id)),
"""
"""The ids that were not counted before; only their events are seen by what follows."""

_WALK = """
locked as materialized (
    select * from lots where environment_id = :environment and account_id = :account
    and feature_id = any(cast(:drawn_features as bigint[])) and remaining > 0
    and effective_at <= :last and (expires_at is null or expires_at > :first)
    order by id for update),
ranked as materialized (
    select *, row_number() over (partition by feature_id order by priority,
        date_trunc('second', expires_at) nulls last, promotional desc, effective_at, created_at,
        id) as rank
    from locked),
walk as (
    select seq, feature_id, counted_at, units as needed, cast(0 as bigint) as rank,
        cast(null as bigint) as lot_id, cast(0 as numeric) as taken
    from used where draws
    union all
    select seq, feature_id, counted_at, needed - taken, rank, lot_id, taken from (
        select w.seq, w.feature_id, w.counted_at, w.needed, l.rank, l.id as lot_id,
            case when w.counted_at < coalesce(l.expires_at, 'infinity')
                and w.counted_at >= l.effective_at
            then greatest(least(w.needed, l.remaining - coalesce(sum(w.needed) filter (
                where w.counted_at < coalesce(l.expires_at, 'infinity')
                and w.counted_at >= l.effective_at) over (partition by w.feature_id
                order by w.seq rows between unbounded preceding and 1 preceding), 0)), 0)
            else 0 end as taken
        from walk w join ranked l on l.feature_id = w.feature_id and l.rank = w.rank + 1
        where w.needed > 0) step),
taken as materialized (
    select seq, rank, lot_id, taken as units from walk where taken > 0),
"""
"""Lots in burn order, one a step: each gives to the events of its span, the first ones first.
The outcome is that of `domain.grants.draw` for one event after the other."""

_LEDGER = """
events as (
    insert into usage_events (environment_id, account_id, event_id, feature_id, units, excess,
        occurred_at, window_start_at, late, day, reason, dimensions, received_at)
    select :environment, :account, u.event_id, u.feature_id, u.units,
        case when u.draws then u.units - coalesce(t.units, 0) else 0 end, u.occurred_at,
        u.window_start_at, u.late, u.day, u.reason, u.dimensions, :now
    from used u left join (select seq, sum(units) as units from taken group by seq) t using (seq)
    order by u.seq returning id, event_id, feature_id, window_start_at, units, excess),
drawn as (
    insert into draws (environment_id, account_id, lot_id, usage_event_id, units, at)
    select :environment, :account, t.lot_id, e.id, t.units, u.counted_at
    from taken t join used u using (seq) join events e using (event_id) order by t.seq, t.rank),
moved as (
    update lots set remaining = lots.remaining - t.units
    from (select lot_id, sum(units) as units from taken group by lot_id) t
    where lots.environment_id = :environment and lots.id = t.lot_id),
"""

_COUNTERS = """
counted as (
    insert into counters (environment_id, account_id, feature_id, window_start_at, used, excess)
    select :environment, :account, e.feature_id, e.window_start_at, sum(e.units), sum(e.excess)
    from events e join used u using (event_id) where not u.held group by 3, 4 order by 3, 4
    on conflict (environment_id, account_id, feature_id, window_start_at)
    do update set used = counters.used + excluded.used, excess = counters.excess + excluded.excess),
levels as (
    insert into counters (environment_id, account_id, feature_id, window_start_at, used, excess,
        level_at)
    select distinct on (feature_id) :environment, :account, feature_id, window_start_at, units, 0,
        occurred_at
    from used where held order by feature_id, occurred_at desc, seq desc
    on conflict (environment_id, account_id, feature_id, window_start_at)
    do update set used = excluded.used, level_at = excluded.level_at
    where coalesce(counters.level_at, '-infinity') <= excluded.level_at),
"""

_DAYS = """
parts as (
    select feature_id, day, '' as dimension, '' as value, units, held from used union all
    select feature_id, day, part.key, part.value, units, held
    from used, jsonb_each_text(dimensions) part),
flows as (
    insert into usage_days (environment_id, account_id, feature_id, day, dimension, value, units)
    select :environment, :account, feature_id, day, dimension, value, sum(units)
    from parts where not held group by 3, 4, 5, 6 order by 3, 4, 5, 6
    on conflict (environment_id, account_id, feature_id, day, dimension, value)
    do update set units = usage_days.units + excluded.units),
peaks as (
    insert into usage_days (environment_id, account_id, feature_id, day, dimension, value, units)
    select :environment, :account, feature_id, day, dimension, value, max(units)
    from parts where held group by 3, 4, 5, 6 order by 3, 4, 5, 6
    on conflict (environment_id, account_id, feature_id, day, dimension, value)
    do update set units = greatest(usage_days.units, excluded.units))
"""

_STATEMENT = text(
    "with recursive src as materialized (select * from json_to_recordset(cast(:events as json))"  # noqa: S608
    f" as s({_TYPED})), fresh as ("
    " insert into usage_ids (environment_id, account_id, event_id, received_at)"
    " select :environment, :account, event_id, :now from src order by event_id"
    " on conflict do nothing returning event_id),"
    + "".join((_FRESH, _WALK, _LEDGER, _COUNTERS, _DAYS))
    + " select e.event_id, e.units - e.excess as drawn, coalesce(c.used, 0) as counted_before"
    " from events e left join counters c on c.environment_id = :environment"
    " and c.account_id = :account and c.feature_id = e.feature_id"
    " and c.window_start_at = e.window_start_at"
)


def count_use(
    session: Session, scope: Scope, account_id: int, placed: Sequence[Placed], now: datetime
) -> dict[str, Fresh]:
    """Those that were new, by id: counted, drawn in burn order, the rest of them excess.

    Takes no corrections. The account's row is locked and the lots of all windows are open; commits
    nothing.
    """
    if not placed:
        return {}
    ordered = sorted(placed, key=lambda each: each.counted_at)
    instants = [each.counted_at for each in ordered if each.draws] or [now]
    given: dict[str, object] = {
        "events": json.dumps([_values(seq, each) for seq, each in enumerate(ordered)]),
        "environment": scope.environment_id,
        "account": account_id,
        "now": now,
        "first": instants[0],
        "last": instants[-1],
        "drawn_features": sorted(
            {each.feature.id for each in ordered if each.draws and each.has_plan}
        ),
    }
    return {
        row.event_id: Fresh(row.drawn, row.counted_before)
        for row in session.execute(_STATEMENT, given)
    }


def _values(seq: int, each: Placed) -> dict[str, object]:
    """What _COLUMNS names."""
    event = each.event
    return {
        "seq": seq,
        "event_id": event.event_id,
        "feature_id": each.feature.id,
        "units": str(event.units),
        "occurred_at": event.occurred_at.isoformat(),
        "counted_at": each.counted_at.isoformat(),
        "window_start_at": each.window_start_at.isoformat(),
        "day": each.day.isoformat(),
        "late": each.is_late,
        "reason": event.reason,
        "dimensions": dict(event.dimensions),
        "draws": each.draws,
        "held": not each.feature.is_consumed,
    }
