"""Messages to the host: each claimed, sent, and marked with what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, and_, case, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.webhooks import KEPT, MOST_TRIES, PAUSES, Answer, Courier, NotDelivered, Parcel
from portal.models.accounts import AccountRow
from portal.models.webhooks import WebhookEndpointRow, WebhookMessageRow

log = structlog.get_logger()
MOST_AT_ONCE = 200
MOST_FAILING = 3
"""Messages to one endpoint that are on their way, or did not arrive, in a minute."""
LONGEST_RUN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages arrived, and how many tries failed."""

    messages: int
    failures: int


@dataclass(frozen=True, slots=True)
class _Claimed:
    message_id: int
    parcel: Parcel


def deliver_due(
    session: Session, scope: Scope, *, courier: Courier, now: Callable[[], WallNow]
) -> Delivered:
    """Send the messages whose time has come, each counted as tried before it leaves; commits.

    now: asked anew for each: an endpoint may take its time. Endpoints take turns; one that fails
    goes behind the others, and after MOST_FAILING tries in a minute rests for its remainder.
    Safe beside itself. No transaction is open while the host is waited for. One that dies
    half-way is sent again, under the same key. Source: ADR 0020.
    """
    ends_at = now() + LONGEST_RUN
    sent, arrived = Counter[int](), 0
    while sent.total() < MOST_AT_ONCE and (wall := now()) < ends_at:
        claimed = _claim(session, scope, sent, wall)
        if claimed is None:
            break
        sent[claimed.parcel.endpoint_id] += 1
        arrived += _send(session, scope, claimed, courier, wall)
    return Delivered(arrived, sent.total() - arrived)


def forget_old(session: Session, scope: Scope, wall: WallNow) -> int:
    """Delete messages that were delivered or given up 30 days ago; commit; how many."""
    row = WebhookMessageRow
    gone = delete(row).where(
        row.environment_id == scope.environment_id,
        row.status != "queued",
        row.tried_at < wall - KEPT,
    )
    found = session.execute(gone.returning(row.id)).all()
    session.commit()
    return len(found)


def _claim(
    session: Session, scope: Scope, sent: Mapping[int, int], wall: WallNow
) -> _Claimed | None:
    """sent: how many this run has sent, by endpoint."""
    found = session.execute(_next(scope, sent, wall)).first()
    if found is None:
        session.rollback()
        return None
    row, to = found
    row.tries, row.tried_at = row.tries + 1, wall
    row.next_try_at = wall + PAUSES[min(row.tries, len(PAUSES)) - 1]
    claimed = _Claimed(row.id, _parcel(session, row, to, wall))
    session.commit()
    return claimed


def _next(
    scope: Scope, sent: Mapping[int, int], wall: WallNow
) -> Select[WebhookMessageRow, WebhookEndpointRow]:
    message, endpoint = WebhookMessageRow, WebhookEndpointRow
    own = and_(
        endpoint.environment_id == message.environment_id, endpoint.id == message.endpoint_id
    )
    failing = _failing(scope, wall)
    turn = [case(dict(sent), value=message.endpoint_id, else_=0)] if sent else []
    return (
        select(message, endpoint)
        .join(endpoint, own)
        .where(
            message.environment_id == scope.environment_id,
            message.status == "queued",
            or_(message.next_try_at.is_(None), message.next_try_at <= wall),
            endpoint.paused_at.is_(None),
            endpoint.removed_at.is_(None),
            message.endpoint_id.not_in(failing.having(func.count() >= MOST_FAILING)),
        )
        .order_by(
            message.endpoint_id.in_(failing),
            *turn,
            message.next_try_at.nulls_first(),
            message.id,
        )
        .limit(1)
        .with_for_update(of=message, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _failing(scope: Scope, wall: WallNow) -> Select[int]:
    """Endpoints that were sent something in the last minute that has not arrived."""
    other = aliased(WebhookMessageRow)
    return (
        select(other.endpoint_id)
        .where(
            other.environment_id == scope.environment_id,
            other.status == "queued",
            other.tried_at > wall - LONGEST_RUN,
        )
        .group_by(other.endpoint_id)
    )


def _parcel(
    session: Session, row: WebhookMessageRow, to: WebhookEndpointRow, wall: WallNow
) -> Parcel:
    overlaps = to.overlap_until is not None and wall < to.overlap_until
    generations = (to.generation, to.generation - 1) if overlaps else (to.generation,)
    account = session.get_one(AccountRow, (row.environment_id, row.account_id))
    return Parcel(to.environment_id, to.id, to.url, generations, body_of(row, account.key))


def body_of(row: WebhookMessageRow, account_key: str) -> bytes:
    """What the host gets: the same bytes at every try."""
    kind, _, number = row.subject.partition(":")
    said: dict[str, Any] = {
        "id": row.message_key,
        "type": row.type,
        "at": _said(row.at),
        "account": account_key,
        "subject": {"kind": kind, "id": int(number)},
        "detail": row.detail,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _said(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _send(
    session: Session, scope: Scope, claimed: _Claimed, courier: Courier, wall: WallNow
) -> bool:
    try:
        answer = courier.send(claimed.parcel, wall)
    except NotDelivered as error:
        answer = Answer(0, str(error))
    row = session.get_one(
        WebhookMessageRow, (scope.environment_id, claimed.message_id), populate_existing=True
    )
    row.answer_status, row.answer = answer.status or None, answer.text
    if answer.is_thanks:
        row.status, row.delivered_at, row.next_try_at = "delivered", wall, None
    elif row.tries >= MOST_TRIES:
        row.status, row.next_try_at = "failed", None
    if not answer.is_thanks:
        log.warning(
            "webhook_not_delivered", message_id=row.id, status=answer.status, tries=row.tries
        )
    session.commit()
    return answer.is_thanks
