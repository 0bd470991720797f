"""Telling the host of an event: a message for each endpoint, in the transaction of the event."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.jobs import DELIVER
from portal.domain.webhooks import ANNOUNCED, type_of
from portal.models.webhooks import WebhookEndpointRow, WebhookMessageRow
from portal.services.queueing import enqueue

_COLUMNS = (
    "environment_id", "endpoint_id", "account_id", "message_key", "type", "subject", "detail",
    "at", "status", "tries", "answer",
)  # fmt: skip


def announce(
    session: Session,
    scope: Scope,
    account_id: int | None,
    event: EventName,
    subject: str,
    detail: dict[str, Any],
    at: datetime,
) -> None:
    """Add the messages, and the job that sends them; commit is the caller's.

    One statement, which adds nothing where no endpoint wants the event. What the session has not
    written yet stays so.
    """
    if event not in ANNOUNCED or account_id is None:
        return
    said = (type_of(event), subject, detail, at)
    added = insert(WebhookMessageRow).from_select(_COLUMNS, _messages(scope, account_id, *said))
    if session.connection().execute(added).rowcount:
        enqueue(session, scope, DELIVER)


def _messages(
    scope: Scope, account_id: int, said: str, subject: str, detail: dict[str, Any], at: datetime
) -> Select[Any]:
    """The columns of a message to each endpoint that wants this type."""
    row = WebhookEndpointRow
    columns = (
        row.environment_id,
        row.id,
        literal(account_id),
        literal(f"msg_{secrets.token_hex(12)}"),
        literal(said),
        literal(subject),
        literal(detail, JSONB),
        literal(at),
        literal("queued"),
        literal(0),
        literal(""),
    )
    return select(*columns).where(
        row.environment_id == scope.environment_id,
        row.removed_at.is_(None),
        or_(func.jsonb_array_length(row.types) == 0, row.types.contains([said])),
    )
