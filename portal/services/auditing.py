"""Recomputing the chains that seal events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.chain import NOTHING, Broken, Flaw, Head, Link, broken
from portal.models.events import EventChainRow
from portal.services.sealing import NO_ACCOUNT, columns_of

_ALL = text("""
select coalesce(c.account_id, s.account_id, e.account_id, 0) as chain, c.length,
    c.digest as head, s.position, s.event_id, s.digest, e.*
from (select * from events where environment_id = :environment) e
full join (select * from event_seals where environment_id = :environment) s on s.event_id = e.id
full join (select * from event_chains where environment_id = :environment) c
    on c.account_id = coalesce(s.account_id, e.account_id, 0)
order by chain, s.position nulls last, e.id
""")
"""One statement, so that what is written meanwhile is seen whole or not at all."""


def heads(session: Session, scope: Scope) -> dict[int, Head]:
    """Where each chain ends, by account; 0 is the tenant's own."""
    row = EventChainRow
    mine = select(row).where(row.environment_id == scope.environment_id).order_by(row.account_id)
    return {each.account_id: Head(each.length, each.digest) for each in session.scalars(mine)}


def verify(session: Session, scope: Scope, kept: Mapping[int, Head]) -> list[str]:
    """One sentence for each link that is broken or missing; empty when every chain is whole.

    kept: ends of chains as `heads` gave them once; each must still be a link.
    """
    found = session.execute(_ALL, {"environment": scope.environment_id})
    missed = dict(kept)
    said: list[str] = []
    for chain, rows in groupby(found.yield_per(1000), key=lambda row: row.chain):
        said += _flaws(chain, list(rows), missed.pop(chain, None))
    said += [f"{_whose(chain)}: the whole chain is missing" for chain in missed]
    return said


def _flaws(chain: int, rows: list[Row[Any]], kept: Head | None) -> Iterator[str]:
    whose, names = _whose(chain), {row.event_id: row.name for row in rows}
    links = [row for row in rows if row.position is not None]
    end = Head(rows[0].length or 0, rows[0].head or NOTHING)
    for flaw in broken(map(_link, links), end):
        yield f"{whose}: {_words(flaw, names)}"
    for row in rows:
        if row.position is None and row.id is not None:
            yield f"{whose}: event {row.id} ({row.name}) has no link"
    if kept is not None and all(row.digest != kept.digest for row in links):
        yield f"{whose}: link {kept.length} is not the one that was kept"


def _link(row: Row[Any]) -> Link:
    event = None if row.id is None else columns_of(row)
    return Link(row.position, row.event_id, row.digest, event)


def _whose(chain: int) -> str:
    return "the tenant" if chain == NO_ACCOUNT else f"account {chain}"


def _words(flaw: Broken, names: Mapping[int, str | None]) -> str:
    match flaw.flaw:
        case Flaw.MISSING if flaw.first == flaw.last:
            return f"link {flaw.first} is missing"
        case Flaw.MISSING:
            return f"links {flaw.first} to {flaw.last} are missing"
        case Flaw.GONE:
            return f"event {flaw.event_id} of link {flaw.first} is gone"
        case Flaw.CHANGED:
            name = names.get(flaw.event_id or 0)
            return f"event {flaw.event_id} ({name}) of link {flaw.first} is not as it was sealed"
        case Flaw.ENDS_ELSEWHERE if flaw.first == flaw.last:
            return f"link {flaw.first} is not the one that the chain ended with"
        case Flaw.ENDS_ELSEWHERE:
            return f"ends at link {flaw.first}, and should end at link {flaw.last}"
