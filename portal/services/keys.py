"""API keys: made, exchanged for new ones, revoked; each is told once and stored as a digest."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.events import EventName
from portal.domain.keys import (
    LONGEST_OVERLAP,
    PREFIX_BYTES,
    SECRET_BYTES,
    Access,
    ApiKey,
    KeyState,
    digest_of_key,
    write_key,
)
from portal.domain.periods import WallNow
from portal.models.keys import ApiKeyRow
from portal.models.tenants import EnvironmentRow
from portal.queries.keys import key_of
from portal.services.recording import CLI, Doer, record

TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """written: the whole key, which nobody can be told again."""

    prefix: str
    written: str


def create(
    session: Session,
    scope: Scope,
    name: str,
    access: Access,
    wall: WallNow,
    expires_at: datetime | None = None,
    doer: Doer = CLI,
    *,
    opens_sessions: bool = False,
) -> NewKey:
    """A new key of this environment; commit. Raises Conflict for an end that has passed.

    opens_sessions: whoever has it can come in as any member. Raises Forbidden where another doer
    than the command line gives that: staff never act for a customer. Source: ADR 0033.
    """
    _only_by_command(doer, opens_sessions=opens_sessions)
    if expires_at is not None and expires_at <= wall:
        raise Conflict("a key must not end before it begins")
    made = _add(session, scope, name, access, wall, expires_at, opens_sessions=opens_sessions)
    subject = f"key:{made.prefix}"
    detail = {"name": name, "access": access, "opens_sessions": opens_sessions}
    record(session, scope, doer, EventName.KEY_CREATED, subject, wall, **detail)
    session.commit()
    return made


def rotate(
    session: Session,
    scope: Scope,
    prefix: str,
    overlap: timedelta,
    wall: WallNow,
    doer: Doer = CLI,
) -> NewKey:
    """A new key like the one named, which goes on working for `overlap`, 7 days at most; commit.

    Raises NotFound, Conflict for a key that no longer works, and Forbidden for one that opens
    sessions where another doer than the command line would be shown its successor.
    """
    row = _locked(session, scope, prefix)
    _only_by_command(doer, opens_sessions=row.opens_sessions)
    if key_of(row).state(wall) is not KeyState.GOOD:
        raise Conflict("this key no longer works: create another")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Conflict(f"the overlap is at most {LONGEST_OVERLAP.days} days")
    access, opens_sessions = Access(row.access), row.opens_sessions
    made = _add(session, scope, row.name, access, wall, opens_sessions=opens_sessions)
    ends = wall + overlap
    row.expires_at = ends if row.expires_at is None else min(ends, row.expires_at)
    told = EventName.KEY_ROTATED
    record(session, scope, doer, told, f"key:{prefix}", wall, new=made.prefix, until=str(ends))
    session.commit()
    return made


def revoke(session: Session, scope: Scope, prefix: str, wall: WallNow, doer: Doer = CLI) -> None:
    """Let the key work no more, at once; commit. One that was revoked before stays so."""
    row = _locked(session, scope, prefix)
    if row.revoked_at is None:
        row.revoked_at = wall
        record(session, scope, doer, EventName.KEY_REVOKED, f"key:{prefix}", wall)
    session.commit()


def touch(session: Session, scope: Scope, key: ApiKey, wall: WallNow) -> None:
    """Note that a key is in use, at most once a minute; commit."""
    if key.last_used_at is not None and wall - TOUCH_EVERY <= key.last_used_at:
        return
    session.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.environment_id == scope.environment_id, ApiKeyRow.id == key.id)
        .values(last_used_at=wall)
    )
    session.commit()


def _only_by_command(doer: Doer, *, opens_sessions: bool) -> None:
    if opens_sessions and doer != CLI:
        raise Forbidden("only the command line gives out a key that signs members in")


def _add(
    session: Session,
    scope: Scope,
    name: str,
    access: Access,
    wall: WallNow,
    expires_at: datetime | None = None,
    *,
    opens_sessions: bool,
) -> NewKey:
    environment = session.get_one(EnvironmentRow, scope.environment_id).name
    prefix = secrets.token_hex(PREFIX_BYTES)
    written = write_key(environment, prefix, secrets.token_urlsafe(SECRET_BYTES))
    session.add(
        ApiKeyRow(
            environment_id=scope.environment_id,
            name=name,
            prefix=prefix,
            digest=digest_of_key(written),
            access=access,
            opens_sessions=opens_sessions,
            created_at=wall,
            expires_at=expires_at,
        )
    )
    session.flush()
    return NewKey(prefix, written)


def _locked(session: Session, scope: Scope, prefix: str) -> ApiKeyRow:
    row = session.scalar(
        select(ApiKeyRow)
        .where(ApiKeyRow.environment_id == scope.environment_id, ApiKeyRow.prefix == prefix)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"key {prefix}")
    return row
