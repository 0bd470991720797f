"""Corrections: what was counted too much goes back where it came from, in one statement."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.services.placing import Placed


class Correction(StrEnum):
    """What became of one. MORE_THAN_USED: nothing was written, its id is free."""

    MADE = "made"
    KNOWN = "known"
    MORE_THAN_USED = "more_than_used"


_ENOUGH = """
with known as (
    select 1 from usage_ids where environment_id = :environment and account_id = :account
    and event_id = :event_id),
counter as materialized (
    select used, excess - settled as open from counters where environment_id = :environment
    and account_id = :account and feature_id = :feature_id and window_start_at = :window_start_at
    and used - settled >= :back),
parts as materialized (
    select '' as dimension, '' as value union all
    select part.key, part.value from jsonb_each_text(cast(:dimensions as jsonb)) part),
short as (
    select 1 from parts p left join usage_days d on d.environment_id = :environment
        and d.account_id = :account and d.feature_id = :feature_id and d.day = :day
        and d.dimension = p.dimension and d.value = p.value
    where coalesce(d.units, 0) < :back),
fresh as (
    insert into usage_ids (environment_id, account_id, event_id, received_at)
    select :environment, :account, :event_id, :now from counter
    where not exists (select from short) on conflict do nothing returning event_id),
"""
_BACK = """
relieved as materialized (
    select least(open, :back) as units from counter where exists (select from fresh)),
drawn as materialized (
    select d.lot_id, sum(d.units) as units, max(d.id) filter (where d.units > 0) as latest
    from lots l
    join draws d on d.environment_id = l.environment_id and d.lot_id = l.id
    join usage_events e on e.environment_id = d.environment_id and e.id = d.usage_event_id
    where l.environment_id = :environment and l.account_id = :account
    and l.feature_id = :feature_id and l.remaining < l.granted
    and e.window_start_at = :window_start_at
    group by d.lot_id having sum(d.units) > 0),
returned as materialized (
    select lot_id, least(stacked.units, :back - relieved.units - before) as units from (
        select lot_id, units, sum(units) over (order by latest desc) - units as before
        from drawn) stacked, relieved
    where :back - relieved.units - before > 0),
"""
_WRITE = """
event as (
    insert into usage_events (environment_id, account_id, event_id, feature_id, units, excess,
        occurred_at, window_start_at, late, day, reason, dimensions, received_at)
    select :environment, :account, event_id, :feature_id, :units, - relieved.units, :occurred_at,
        :window_start_at, :late, :day, :reason, cast(:dimensions as jsonb), :now
    from fresh, relieved returning id),
ledger as (
    insert into draws (environment_id, account_id, lot_id, usage_event_id, units, at)
    select :environment, :account, lot_id, event.id, - units, :counted_at from returned, event),
moved as (
    update lots set remaining = lots.remaining + returned.units from returned
    where lots.environment_id = :environment and lots.id = returned.lot_id),
counted as (
    update counters set used = counters.used - :back, excess = counters.excess - relieved.units
    from relieved where environment_id = :environment and account_id = :account
    and feature_id = :feature_id and window_start_at = :window_start_at),
days as (
    update usage_days d set units = d.units - :back from parts p, fresh
    where d.environment_id = :environment and d.account_id = :account
    and d.feature_id = :feature_id and d.day = :day and d.dimension = p.dimension
    and d.value = p.value)
select exists (select from known), exists (select from fresh)
"""
_STATEMENT = text(_ENOUGH + _BACK + _WRITE)


def give_back(
    session: Session, scope: Scope, account_id: int, placed: Placed, now: datetime
) -> Correction:
    """Take units off the window and the day of a correction, and commit nothing.

    Excess goes first, what is settled stays; then each lot gets back what it gave in this window,
    the one drawn from last before the others. Never more than the window, the day and each of its
    dimensions hold. The account's row is locked.
    """
    event = placed.event
    known, made = session.execute(
        _STATEMENT,
        {
            "environment": scope.environment_id,
            "account": account_id,
            "event_id": event.event_id,
            "feature_id": placed.feature.id,
            "window_start_at": placed.window_start_at,
            "counted_at": placed.counted_at,
            "occurred_at": event.occurred_at,
            "day": placed.day,
            "late": placed.is_late,
            "reason": event.reason,
            "dimensions": json.dumps(dict(event.dimensions)),
            "units": event.units,
            "back": -event.units,
            "now": now,
        },
    ).one()
    if known:
        return Correction.KNOWN
    return Correction.MADE if made else Correction.MORE_THAN_USED
