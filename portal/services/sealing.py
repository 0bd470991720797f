"""Sealing: as a transaction commits, its events become the next links of their chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from portal.domain.chain import NOTHING, seal_of
from portal.models.events import EventRow

NO_ACCOUNT = 0
_WAITING = "events to seal"
_COLUMNS = tuple(EventRow.__table__.columns.keys())

_LOCK = text("""
insert into event_chains as c (environment_id, account_id, length, digest)
select :environment, account_id, 0, :nothing
from unnest(cast(:accounts as bigint[])) account_id order by account_id
on conflict (environment_id, account_id) do update set length = c.length
returning account_id, length, digest
""")
_SEAL = text("""
with sealed as (
    insert into event_seals (environment_id, account_id, position, event_id, digest)
    select :environment, s.account_id, s.position, s.event_id, s.digest
    from unnest(cast(:accounts as bigint[]), cast(:positions as bigint[]),
        cast(:events as bigint[]), cast(:digests as text[]))
        s (account_id, position, event_id, digest)
    returning account_id, position, digest)
update event_chains c set length = s.position, digest = s.digest
from (select distinct on (account_id) * from sealed order by account_id, position desc) s
where c.environment_id = :environment and c.account_id = s.account_id
""")


def seal_at_commit(session: Session, row: EventRow) -> None:
    """Let `row` be sealed when the session commits, unless a rollback has taken it back."""
    session.info.setdefault(_WAITING, []).append(row)


def columns_of(row: Any) -> dict[str, object]:
    """What a seal covers: every column of an event, by name."""
    return {name: getattr(row, name) for name in _COLUMNS}


@event.listens_for(Session, "before_commit")
def _seal(session: Session) -> None:
    """Everything else is written first: whoever holds a chain waits for nothing any more."""
    if session.info.get(_WAITING) and not session.in_nested_transaction():
        session.flush()
        rows = [row for row in session.info.pop(_WAITING) if row in session]
        if rows:
            _append(session, rows)


def _append(session: Session, rows: list[EventRow]) -> None:
    chains: dict[int, list[EventRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        chains[row.account_id or NO_ACCOUNT].append(row)
    connection, environment = session.connection(), rows[0].environment_id
    asked = {"environment": environment, "accounts": list(chains), "nothing": NOTHING}
    links: list[tuple[int, int, int, str]] = []
    for account_id, length, digest in connection.execute(_LOCK, asked):
        links += _links(account_id, length, digest, chains[account_id])
    names = ("accounts", "positions", "events", "digests")
    columns = map(list, zip(*links, strict=True))
    connection.execute(_SEAL, {"environment": environment} | dict(zip(names, columns, strict=True)))


def _links(
    account_id: int, length: int, digest: str, rows: list[EventRow]
) -> Iterator[tuple[int, int, int, str]]:
    for position, row in enumerate(rows, start=length + 1):
        digest = seal_of(digest, position, columns_of(row))
        yield account_id, position, row.id, digest
