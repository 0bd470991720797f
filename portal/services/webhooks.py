"""The addresses at which the host is told of events: added, paused, given new secrets, replayed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Update, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.jobs import DELIVER
from portal.domain.periods import WallNow
from portal.domain.webhooks import LONGEST_OVERLAP, TYPES, is_address
from portal.models.webhooks import WebhookEndpointRow, WebhookMessageRow
from portal.services.queueing import enqueue
from portal.services.recording import CLI, Doer, record


def add(
    session: Session,
    scope: Scope,
    url: str,
    types: Sequence[str],
    wall: WallNow,
    doer: Doer = CLI,
) -> int:
    """A new endpoint's id; commit. types: none = all. Raises Conflict for what cannot be one."""
    if not is_address(url):
        raise Conflict("the address must be https://host/path, without a name or password")
    if unknown := sorted(set(types) - set(TYPES)):
        raise Conflict(f"nothing is called {', '.join(unknown)}; there are {', '.join(TYPES)}")
    row = WebhookEndpointRow(
        environment_id=scope.environment_id,
        url=url,
        types=sorted(set(types)),
        generation=1,
        created_at=wall,
    )
    session.add(row)
    session.flush()
    record(session, scope, doer, EventName.WEBHOOK_ADDED, f"webhook:{row.id}", wall, url=url)
    session.commit()
    return row.id


def rotate(
    session: Session,
    scope: Scope,
    endpoint_id: int,
    overlap: timedelta,
    wall: WallNow,
    doer: Doer = CLI,
) -> int:
    """The generation of the endpoint's new secret; both sign for `overlap`; commit.

    Raises NotFound, and Conflict for more than 7 days or a rotation within the last overlap.
    """
    row = _locked(session, scope, endpoint_id)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Conflict(f"the overlap is at most {LONGEST_OVERLAP.days} days")
    if row.overlap_until is not None and wall < row.overlap_until:
        raise Conflict("two secrets sign already: wait for the end of their overlap")
    row.generation, row.overlap_until = row.generation + 1, wall + overlap
    _changed(session, scope, row, wall, doer, generation=row.generation)
    return row.generation


def pause(
    session: Session, scope: Scope, endpoint_id: int, wall: WallNow, doer: Doer = CLI
) -> None:
    """Let its messages wait; commit. Raises NotFound."""
    row = _locked(session, scope, endpoint_id)
    row.paused_at = row.paused_at or wall
    _changed(session, scope, row, wall, doer, paused=True)


def resume(
    session: Session, scope: Scope, endpoint_id: int, wall: WallNow, doer: Doer = CLI
) -> None:
    """Send what waited, and go on; commit. Raises NotFound."""
    row = _locked(session, scope, endpoint_id)
    row.paused_at = None
    enqueue(session, scope, DELIVER)
    _changed(session, scope, row, wall, doer, paused=False)


def remove(
    session: Session, scope: Scope, endpoint_id: int, wall: WallNow, doer: Doer = CLI
) -> None:
    """Send no more there, not even what waits; commit. Raises NotFound."""
    row = _locked(session, scope, endpoint_id)
    row.removed_at = wall
    _changed(session, scope, row, wall, doer, removed=True)


def replay(
    session: Session,
    scope: Scope,
    endpoint_id: int,
    since: datetime | None,
    wall: WallNow,
    doer: Doer = CLI,
    *,
    failed_only: bool,
) -> int:
    """Send the endpoint's messages that were stored since then once more; commit; how many.

    since: None = all that are kept. failed_only: but for those that arrived. Raises NotFound.
    """
    endpoint, row = _locked(session, scope, endpoint_id), WebhookMessageRow
    wanted = ("failed",) if failed_only else ("failed", "delivered")
    again = _again(scope, endpoint_id).where(row.status.in_(wanted))
    if since is not None:
        again = again.where(row.created_at >= since)
    found = session.scalars(again.returning(row.id)).all()
    _replayed(session, scope, endpoint, len(found), wall, doer)
    return len(found)


def replay_one(
    session: Session, scope: Scope, message_id: int, wall: WallNow, doer: Doer = CLI
) -> None:
    """Send one message once more; commit.

    Raises NotFound, also where its endpoint was removed, and Conflict for one that is on its way.
    """
    found = session.get(WebhookMessageRow, (scope.environment_id, message_id))
    if found is None:
        raise NotFound(f"message {message_id}")
    endpoint = _locked(session, scope, found.endpoint_id)
    row = WebhookMessageRow
    over = row.id == message_id, row.status != "queued"
    again = _again(scope, endpoint.id).where(*over).returning(row.id)
    if session.scalar(again) is None:
        raise Conflict("this message is on its way")
    _replayed(session, scope, endpoint, 1, wall, doer)


def _again(scope: Scope, endpoint_id: int) -> Update:
    """All of an endpoint's messages, to be tried anew."""
    row = WebhookMessageRow
    return (
        update(row)
        .where(row.environment_id == scope.environment_id, row.endpoint_id == endpoint_id)
        .values(status="queued", tries=0, next_try_at=None, delivered_at=None)
    )


def _replayed(
    session: Session, scope: Scope, row: WebhookEndpointRow, count: int, wall: WallNow, doer: Doer
) -> None:
    if count:
        enqueue(session, scope, DELIVER)
        told = EventName.WEBHOOK_REPLAYED
        record(session, scope, doer, told, f"webhook:{row.id}", wall, messages=count)
    session.commit()


def _locked(session: Session, scope: Scope, endpoint_id: int) -> WebhookEndpointRow:
    key = (scope.environment_id, endpoint_id)
    row = session.get(WebhookEndpointRow, key, with_for_update=True, populate_existing=True)
    if row is None or row.removed_at is not None:
        raise NotFound(f"webhook {endpoint_id}")
    return row


def _changed(
    session: Session,
    scope: Scope,
    row: WebhookEndpointRow,
    wall: WallNow,
    doer: Doer,
    **detail: object,
) -> None:
    told = EventName.WEBHOOK_CHANGED
    record(session, scope, doer, told, f"webhook:{row.id}", wall, **detail)
    session.commit()
