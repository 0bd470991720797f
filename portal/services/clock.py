"""The test clock of one account: its time moves on, and everything due on the way happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import whole_second
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import billing_now
from portal.services.digesting import send_digests
from portal.services.recharging import run_due
from portal.services.recording import record
from portal.services.renewing import take_step
from portal.services.rounds import remind
from portal.services.till import Till

DAY = timedelta(days=1)
FARTHEST = timedelta(days=3 * 366)


def advance(
    till: Till,
    account_id: int,
    to: datetime,
    tell: Callable[[datetime, int], None] | None = None,
    enough: Callable[[], bool] = lambda: False,
) -> int:
    """Move the account's clock to `to`, step by step, and commit; how many steps were taken.

    It halts where something is billed, and each day for what only the calendar brings about. tell:
    hears of each halt at which steps were taken, and of the last. enough: asked at each halt; where
    it is, the clock stays there, and another call goes on. Raises NotFound for no such account,
    Conflict for an instant that is not ahead, or more than three years.
    """
    started_at, to = _now(till, account_id), whole_second(to)
    if not started_at < to <= started_at + FARTHEST:
        raise Conflict("a test clock moves forward, and by three years at most")
    steps, at = 0, started_at
    while at < to:
        at = _next_halt(till, account_id, at, to)
        _set(till, account_id, at)
        taken = _take_steps(till, account_id)
        _go_round(till)
        steps += taken
        if tell is not None and (taken or at == to):
            tell(at, taken)
        if enough():
            break
    moved = EventName.CLOCK_ADVANCED
    record(till.session, till.scope, till.doer, moved, f"account:{account_id}", at, steps=steps)
    till.session.commit()
    return steps


def _next_halt(till: Till, account_id: int, at: datetime, to: datetime) -> datetime:
    due_at, soon = _next_due(till, account_id), min(at + DAY, to)
    return soon if due_at is None or due_at <= at else min(due_at, soon)


def _go_round(till: Till) -> None:
    """Reminders, digests and auto-recharge, as the workers' own rounds do it."""
    remind(till.session, till.scope, till.wall)
    send_digests(till.session, till.scope, till.wall)
    run_due(till.session, till.scope, gateway=till.gateway, wall=till.wall)


def _now(till: Till, account_id: int) -> datetime:
    row = till.session.get(AccountRow, (till.environment_id, account_id), populate_existing=True)
    if row is None:
        raise NotFound("account")
    return billing_now(row, till.wall)


def _set(till: Till, account_id: int, at: datetime) -> None:
    row = till.session.get_one(AccountRow, (till.environment_id, account_id))
    row.test_clock_at = at
    till.session.commit()


def _subscription_id(till: Till, account_id: int) -> int | None:
    return till.session.scalar(
        select(SubscriptionRow.id).where(
            SubscriptionRow.environment_id == till.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.ended_at.is_(None),
        )
    )


def _next_due(till: Till, account_id: int) -> datetime | None:
    subscription_id = _subscription_id(till, account_id)
    if subscription_id is None:
        return None
    key = (till.environment_id, subscription_id)
    row = till.session.get_one(SubscriptionRow, key, populate_existing=True)
    return row.next_due_at.astimezone(UTC)


def _take_steps(till: Till, account_id: int) -> int:
    subscription_id, taken = _subscription_id(till, account_id), 0
    while subscription_id is not None and take_step(till, subscription_id):
        taken += 1
    till.session.commit()
    return taken
