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


def messages(session: Session, scope: Scope, endpoint_id: int, most: int) -> tuple[Message, ...]:
    """The endpoint's latest, newest first."""
    rows = session.scalars(
        select(WebhookMessageRow)
        .where(
            WebhookMessageRow.environment_id == scope.environment_id,
            WebhookMessageRow.endpoint_id == endpoint_id,
        )
        .order_by(WebhookMessageRow.id.desc())
        .limit(most)
    )
    return tuple(
        Message(
            row.id, row.message_key, row.type, row.subject, row.status, row.tries,
            row.next_try_at, row.answer_status, row.answer,
        )
        for row in rows
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
