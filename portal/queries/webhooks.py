"""Where the host is told of events, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.models.webhooks import WebhookEndpointRow, WebhookMessageRow


@dataclass(frozen=True, slots=True)
class Endpoint:
    """types: none = all. waiting, failed: how many messages."""

    id: int
    url: str
    types: tuple[str, ...]
    generation: int
    overlap_until: datetime | None
    is_paused: bool
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Message:
    """answer_status: None when no answer came, and `answer` says why."""

    id: int
    endpoint_id: int
    created_at: datetime
    key: str
    type: str
    subject: str
    status: str
    tries: int
    next_try_at: datetime | None
    answer_status: int | None
    answer: str


def endpoints(session: Session, scope: Scope) -> tuple[Endpoint, ...]:
    """Those that were not removed, oldest first."""
    waiting = func.count().filter(WebhookMessageRow.status == "queued")
    failed = func.count().filter(WebhookMessageRow.status == "failed")
    counts = (
        select(WebhookMessageRow.endpoint_id, waiting, failed)
        .where(WebhookMessageRow.environment_id == scope.environment_id)
        .group_by(WebhookMessageRow.endpoint_id)
    )
    counted = {row[0]: (row[1], row[2]) for row in session.execute(counts)}
    rows = session.scalars(
        select(WebhookEndpointRow)
        .where(
            WebhookEndpointRow.environment_id == scope.environment_id,
            WebhookEndpointRow.removed_at.is_(None),
        )
        .order_by(WebhookEndpointRow.id)
    )
    return tuple(_endpoint(row, *counted.get(row.id, (0, 0))) for row in rows)


def find_endpoint(session: Session, scope: Scope, endpoint_id: int) -> Endpoint | None:
    """None for one that was removed, too."""
    return next((each for each in endpoints(session, scope) if each.id == endpoint_id), None)


def messages(
    session: Session,
    scope: Scope,
    endpoint_id: int | None,
    most: int,
    *,
    status: str | None = None,
    before: int | None = None,
) -> tuple[Message, ...]:
    """The latest, newest first; all endpoints' and all states' where none is named.

    before: only those whose id is lower, which are older.
    """
    row = WebhookMessageRow
    found = select(row).where(row.environment_id == scope.environment_id)
    for column, wanted in ((row.endpoint_id, endpoint_id), (row.status, status)):
        if wanted is not None:
            found = found.where(column == wanted)
    if before is not None:
        found = found.where(row.id < before)
    return tuple(
        _message(each) for each in session.scalars(found.order_by(row.id.desc()).limit(most))
    )


def _message(row: WebhookMessageRow) -> Message:
    return Message(
        row.id, row.endpoint_id, row.created_at, row.message_key, row.type, row.subject,
        row.status, row.tries, row.next_try_at, row.answer_status, row.answer,
    )  # fmt: skip


def _endpoint(row: WebhookEndpointRow, waiting: int, failed: int) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        types=tuple(row.types),
        generation=row.generation,
        overlap_until=row.overlap_until,
        is_paused=row.paused_at is not None,
        waiting=waiting,
        failed=failed,
    )
