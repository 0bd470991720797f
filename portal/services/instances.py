"""Stopping and keeping what was bought: auto-renew off, Cancel and Keep are one mechanism."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.bills import billed_by
from portal.domain.ending_notices import AddOnCancelled
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.instances import Phase
from portal.domain.keeping_notices import AddOnKept
from portal.domain.legal import Words
from portal.domain.periods import WallNow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.billing import billing_state
from portal.queries.kept import instance_renewing
from portal.queries.subscriptions import Instance
from portal.services import mailing
from portal.services.accepting import lock_live
from portal.services.consents import keep_consent, said_in
from portal.services.due import look_no_later
from portal.services.recording import Doer, record
from portal.services.till import doer_of

REASON_LENGTH = 500
_STAYS = (Phase.SCHEDULED, Phase.CANCELLING)
"""Phases of an instance whose cancellation can be undone."""
Held = tuple[InstanceRow, AccountState, Instance]
"""An instance as it is stored, its account, and as it is seen; locked."""


def cancel(
    actor: Actor, instance_id: int, reason: str, *, session: Session, wall: WallNow
) -> Instance:
    """End a recurring instance at its next boundary; until then all stays as it is.

    Repeating it keeps the first date. Raises NotFound, Forbidden, or Conflict for an instance
    that does not renew. Source: seed 1, step 5; product.md §6.
    """
    held = lock_instance(actor, instance_id, session, wall)
    instance = held[2]
    if instance.phase in _STAYS and instance.price.is_recurring and not instance.renews:
        session.rollback()
        return instance
    if not instance.renews:
        session.rollback()
        raise Conflict("only an add-on that renews can be cancelled")
    agree_to_end(session, actor.scope, doer_of(actor), held, reason)
    session.commit()
    return _reread(actor, instance_id, session, wall)


def agree_to_end(
    session: Session, scope: Scope, doer: Doer, held: Held, reason: str, **told: Any
) -> datetime:
    """The same of one that renews, for whoever may decide it; commit is the caller's, who has
    its lock. told: what the event says besides.
    """
    row, state, instance = held
    row.cancel_at = ends_at = next_boundary(state, instance)
    row.cancel_reason = reason.strip()[:REASON_LENGTH]
    told |= {"cancel_at": str(row.cancel_at)}
    event, subject = EventName.INSTANCE_CANCELLED, f"instance:{row.id}"
    record(session, scope, doer, event, subject, state.now, **told)
    notice = AddOnCancelled(
        row.id,
        instance.add_on.name,
        instance.quantity,
        cancelled_at=state.now,
        ends_at=ends_at,
        bills_use=bool(instance.usage_prices),
        renewing=instance_renewing(state, instance),
    )
    mailing.post(session, scope, row.account_id, notice)
    return ends_at


def keep(
    actor: Actor, instance_id: int, *, session: Session, wall: WallNow, agreed: Words | None = None
) -> Instance:
    """Undo a cancellation before its date; charges nothing. Repeating it changes nothing.

    agreed: the words of the button, where a page was shown. Raises NotFound, Forbidden, or Conflict
    once the instance has ended.
    """
    row, state, instance = lock_instance(actor, instance_id, session, wall)
    if instance.renews:
        session.rollback()
        return instance
    if instance.phase not in _STAYS or not instance.price.is_recurring:
        session.rollback()
        raise Conflict("only an add-on that is being cancelled can be kept")
    row.cancel_at, row.cancel_reason = None, ""
    if row.billed_until_at is not None:
        look_no_later(session, row, row.billed_until_at)
    _record(session, actor, EventName.INSTANCE_KEPT, row, state)
    keep_consent(session, actor, f"instance:{row.id}", agreed, wall)
    notice = AddOnKept(
        row.id,
        instance.add_on.name,
        instance.quantity,
        kept_at=wall,
        renewing=instance_renewing(state, instance),
        agreed=said_in(agreed),
    )
    mailing.post(session, actor.scope, row.account_id, notice)
    session.commit()
    return _reread(actor, instance_id, session, wall)


def next_boundary(state: AccountState, instance: Instance) -> datetime:
    """The end of the period that is paid for, or that will be paid for first: by what is agreed
    for then, whether or not a renewal that is due has run. Raises Conflict for what has none."""
    if state.subscription is None or instance.billed_until is None:
        raise Conflict("this add-on has no billing period")
    at = max(state.now, instance.span.starts_at)
    item = billed_by(billing_state(state), instance.id, at)
    return min(item.billed_until, item.stops_at or item.billed_until)


def find_instance(state: AccountState, instance_id: int) -> Instance:
    """Raises NotFound for another account's instance or one never paid for."""
    hidden = (Phase.PENDING, Phase.FAILED)
    for instance in state.instances:
        if instance.id == instance_id and instance.phase not in hidden:
            return instance
    raise NotFound("instance")


def lock_instance(actor: Actor, instance_id: int, session: Session, wall: WallNow) -> Held:
    """An instance of the member's account, locked. Raises Forbidden, NotFound."""
    actor.require(Permission.BILLING_UPDATE)
    return lock_held(session, actor.scope, actor.account_id, instance_id, wall)


def lock_held(
    session: Session, scope: Scope, account_id: int, instance_id: int, wall: WallNow
) -> Held:
    """An instance of the account, locked; its subscription's row first, as everything that
    changes it does. Raises NotFound.
    """
    lock_live(session, scope, account_id)
    row = session.scalar(
        select(InstanceRow)
        .where(
            InstanceRow.environment_id == scope.environment_id,
            InstanceRow.account_id == account_id,
            InstanceRow.id == instance_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        session.rollback()
        raise NotFound("instance")
    state = account_state(session, scope, account_id, wall)
    return row, state, find_instance(state, instance_id)


def _reread(actor: Actor, instance_id: int, session: Session, wall: WallNow) -> Instance:
    state = account_state(session, actor.scope, actor.account_id, wall)
    return find_instance(state, instance_id)


def _record(
    session: Session,
    actor: Actor,
    event: EventName,
    row: InstanceRow,
    state: AccountState,
    **detail: str,
) -> None:
    record(session, actor.scope, doer_of(actor), event, f"instance:{row.id}", state.now, **detail)
