"""The ledger of an account's credits: what came, what a day's use took, what expired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.queries.accounts import AccountState

LONGEST_PAGE = 30
MOST_PAGES = 1_000_000


class EntryKind(StrEnum):
    """In the order in which a day's entries come."""

    GRANT = "grant"
    DRAW = "draw"
    CORRECTION = "correction"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. units: below zero for what went out. balance: of the feature's credits after it.

    instance_id, source_key: of the lot that came or expired; None and empty for a day's use.
    """

    day: date
    feature_id: int
    kind: EntryKind
    units: Decimal
    balance: Decimal
    instance_id: int | None
    source_key: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """entries: the newest first. number: of the page, from 1; pages: how many there are."""

    entries: tuple[Entry, ...]
    number: int = 1
    pages: int = 1


_LEDGER = text("""
with mine as (
    select id, feature_id, granted, remaining, effective_at, expires_at, instance_id, source_key
    from lots where environment_id = :environment and account_id = :account
    and (source = 'credit_grant' or source_key like 'plan-grant:%') and effective_at <= :now),
entries as (
    select cast(effective_at at time zone :zone as date) as day, feature_id, 1 as place,
        'grant' as kind, granted as units, instance_id, source_key, id
    from mine where granted > 0 union all
    select cast(least(d.at, m.expires_at) at time zone :zone as date), m.feature_id,
        case when d.units > 0 then 2 else 3 end,
        case when d.units > 0 then 'draw' else 'correction' end, - sum(d.units), null, '', 0
    from mine m join draws d on d.environment_id = :environment and d.lot_id = m.id
    group by 1, 2, 3, 4 union all
    select cast(expires_at at time zone :zone as date), feature_id, 4, 'expiry', - remaining,
        instance_id, source_key, id
    from mine where expires_at <= :now and remaining > 0),
summed as (
    select *, sum(units) over (partition by feature_id order by day, place, id) as balance
    from entries)
select day, feature_id, kind, units, balance, instance_id, source_key, count(*) over () as total
from summed order by day desc, place desc, feature_id, id desc
limit cast(:most as bigint) offset cast(:skipped as bigint)
""")
"""What a correction gives back to a lot that has ended comes at its end, and expires with it."""


def ledger_page(session: Session, scope: Scope, state: AccountState, number: int) -> LedgerPage:
    """One page of the ledger, of all features; the first one for a number that there is not."""
    number = min(max(number, 1), MOST_PAGES)
    entries, total = _entries(session, scope, state, LONGEST_PAGE, (number - 1) * LONGEST_PAGE)
    if not entries and number > 1:
        return ledger_page(session, scope, state, 1)
    return LedgerPage(entries, number, max(-(-total // LONGEST_PAGE), 1))


def whole_ledger(session: Session, scope: Scope, state: AccountState) -> tuple[Entry, ...]:
    """All of it, the newest first."""
    return _entries(session, scope, state, None, 0)[0]


def _entries(
    session: Session, scope: Scope, state: AccountState, most: int | None, skipped: int
) -> tuple[tuple[Entry, ...], int]:
    given = {
        "environment": scope.environment_id,
        "account": state.account.id,
        "now": state.now,
        "zone": state.account.zone,
        "most": most,
        "skipped": skipped,
    }
    rows = session.execute(_LEDGER, given).all()
    entries = (
        Entry(r.day, r.feature_id, EntryKind(r.kind), r.units, r.balance, r.instance_id,
              r.source_key)
        for r in rows
    )  # fmt: skip
    return tuple(entries), rows[0].total if rows else 0
