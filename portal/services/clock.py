"""The test clock of one account: its time moves on, and everything due on the way happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select, update

from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import whole_second
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import billing_now
from portal.services.digesting import send_digests
from portal.services.recharging import run_due
from portal.services.recording import Doer, record
from portal.services.renewing import DOER, take_step
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
) -> int | None:
    """Move the account's clock to `to`, step by step, and commit; how many steps were taken.

    None where somebody else is moving it at the moment: nothing was done then.
    It halts where something is billed, and each day for what only the calendar brings about. tell:
    hears of each halt at which steps were taken, and of the last. enough: asked at each halt; where
    it is, the clock stays there, and another call goes on. Raises NotFound for no such account,
    Conflict for an instant that is not ahead, or more than three years.
    """
    with _alone(till, account_id) as alone:
        return _advance(till, account_id, whole_second(to), tell, enough) if alone else None


def _advance(
    till: Till,
    account_id: int,
    to: datetime,
    tell: Callable[[datetime, int], None] | None,
    enough: Callable[[], bool],
) -> int:
    steps, at = 0, _now(till, account_id)
    if not at < to <= at + FARTHEST:
        raise Conflict("a test clock moves forward, and by three years at most")
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


@contextmanager
def _alone(till: Till, account_id: int) -> Iterator[bool]:
    """Whether nobody else moves this clock; nobody can until this ends, over all its commits.

    The lock lives in a transaction of its own, so whoever dies lets it go.
    """
    key = func.hashtextextended(f"clock {till.environment_id} {account_id}", 0)
    with till.session.get_bind().engine.connect() as connection:
        yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))


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
    """Raises Conflict for an instant that the clock has passed."""
    account = AccountRow
    moved = till.session.execute(
        update(account)
        .where(
            account.environment_id == till.environment_id,
            account.id == account_id,
            or_(account.test_clock_at.is_(None), account.test_clock_at < at),
        )
        .values(test_clock_at=at)
        .returning(account.id)
    )
    if moved.first() is None:
        till.session.rollback()
        raise Conflict("the test clock is ahead of that already")
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
    """Renewal takes them: whoever moves the clock does no more than that."""
    till = replace(till, doer=Doer(DOER, account_id))
    subscription_id, taken = _subscription_id(till, account_id), 0
    while subscription_id is not None and take_step(till, subscription_id):
        taken += 1
    till.session.commit()
    return taken
