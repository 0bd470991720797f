"""An account's state for counting and checking use, kept until a row behind it changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import NotFound
from portal.domain.periods import BillingNow, WallNow
from portal.queries.accounts import AccountState, account_state

MOST_KEPT = 2_000
"""Accounts of one database; beyond it the one kept longest goes first."""
_MARK = text("""
select a.test_clock_at, concat_ws('/', a.xmin,
    (select catalog_version from environments e where e.id = a.environment_id),
    (select string_agg(s.id || ' ' || s.xmin, ',' order by s.id) from subscriptions s
        where s.environment_id = a.environment_id and s.account_id = a.id),
    (select max(c.id) from plan_changes c join subscriptions s using (environment_id)
        where c.environment_id = a.environment_id and s.account_id = a.id
        and c.subscription_id = s.id and c.status = 'scheduled'),
    (select string_agg(p.id::text, ',' order by p.id) from price_changes p
        join subscriptions s using (environment_id)
        where s.environment_id = a.environment_id and s.account_id = a.id
        and p.subscription_id = s.id and p.status = 'scheduled'),
    (select string_agg(i.id || ' ' || i.xmin, ',' order by i.id) from instances i
        where i.environment_id = a.environment_id and i.account_id = a.id))
from accounts a where a.environment_id = :environment and a.id = :account
""")
"""xmin: which transaction wrote the row as it is; a row that changes has another one."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """until: the next instant at which the clock alone makes it another one."""

    mark: str
    state: AccountState
    until: datetime | None

    def holds(self, mark: str, now: datetime) -> bool:
        return (
            self.mark == mark and self.state.now <= now and (self.until is None or now < self.until)
        )


_one_at_a_time = Lock()
_kept: WeakKeyDictionary[Engine | Connection, dict[tuple[int, int], _Kept]] = WeakKeyDictionary()


def counting_state(session: Session, scope: Scope, account_id: int, wall: WallNow) -> AccountState:
    """`account_state` in one statement, as long as neither account, plan, agreed changes,
    announced prices, instances nor catalog have changed. Balances and what is not paid for yet
    may be old.

    Raises NotFound for another scope's or no account.
    """
    given = {"environment": scope.environment_id, "account": account_id}
    row = session.execute(_MARK, given).first()
    if row is None:
        raise NotFound("account")
    clock, mark = row
    key, now = (scope.environment_id, account_id), BillingNow((clock or wall).astimezone(UTC))
    found = _kept.get(session.get_bind(), {}).get(key)
    if found is None or not found.holds(mark, now):
        state = account_state(session, scope, account_id, wall)
        found = _Kept(mark, state, _next_change(state))
        _keep(session.get_bind(), key, found)
    return replace(found.state, account=replace(found.state.account, now=now))


def _next_change(state: AccountState) -> datetime | None:
    """When a plan or an add-on begins, changes, ends or has fewer units next."""
    instants = [state.subscription.ends_at] if state.subscription else []
    instants += [state.agreed.effective_at] if state.agreed else []
    for each in state.instances:
        instants += (each.span.starts_at, each.span.stops_at, each.next_quantity_at)
    return min((at for at in instants if at is not None and at > state.now), default=None)


def _keep(bind: Engine | Connection, key: tuple[int, int], found: _Kept) -> None:
    with _one_at_a_time:
        kept = _kept.setdefault(bind, {})
        kept.pop(key, None)
        kept[key] = found
        if len(kept) > MOST_KEPT:
            kept.pop(next(iter(kept)))
