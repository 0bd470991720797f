"""Beginning what was bought: at once, or at the boundary it was bought for."""

from __future__ import annotations

from datetime import datetime

from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import AccountState
from portal.queries.subscriptions import Instance
from portal.services.arrears import set_apart
from portal.services.capacity import open_purchased
from portal.services.due import look_no_later
from portal.services.recording import record
from portal.services.till import Till


def begin(till: Till, row: InstanceRow, state: AccountState, instance: Instance) -> None:
    """Say that an instance is in force since its start, and open its lots; commit is the caller's.

    Access never waits for this: it is read by the clock.
    """
    if instance.usage_prices:
        _begin_use(till, row, state, instance)
    row.status = InstanceStatus.ACTIVE
    open_purchased(till.session, till.scope, state, instance)
    at, started = instance.span.starts_at, EventName.INSTANCE_STARTED
    record(till.session, till.scope, till.doer, started, f"instance:{row.id}", at)


def _begin_use(till: Till, row: InstanceRow, state: AccountState, instance: Instance) -> None:
    """From now on it charges for use; from its start where it waited for that, unless the first
    report after it came before."""
    key = (till.environment_id, row.subscription_id)
    subscription = till.session.get_one(SubscriptionRow, key, populate_existing=True)
    waited = row.status == InstanceStatus.SCHEDULED
    at = instance.span.starts_at if waited else state.now
    apart_until = subscription.use_apart_until_at or subscription.started_at
    if not waited or apart_until < at:
        set_apart(till.session, till.scope, subscription, at, till.wall)
    look_no_later(till.session, row, at)


def next_start(state: AccountState) -> datetime | None:
    """When the next instance begins that was bought for later; None when there is none."""
    return min((i.span.starts_at for i in _scheduled(state)), default=None)


def begin_scheduled(till: Till, state: AccountState, at: datetime) -> None:
    """Begin every instance whose start has come by `at`; commit is the caller's."""
    for instance in _scheduled(state):
        if instance.span.starts_at <= at:
            row = till.session.get_one(InstanceRow, (till.environment_id, instance.id))
            begin(till, row, state, instance)


def _scheduled(state: AccountState) -> list[Instance]:
    """What a cancelled plan ends before never begins."""
    waiting = (i for i in state.instances if i.status is InstanceStatus.SCHEDULED)
    return [i for i in waiting if i.span.stops_at is None or i.span.starts_at < i.span.stops_at]
