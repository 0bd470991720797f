"""Moving holders of an old price to a new one: who, from when on, and telling them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Price
from portal.domain.instances import Phase, SubscriptionStatus
from portal.domain.notices import is_told
from portal.domain.periods import WallNow
from portal.domain.price_changes import (
    PriceAhead,
    PriceChange,
    ahead,
    first_boundary,
    price_before,
    told,
    with_change,
)
from portal.domain.price_notices import PriceChanging
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.billing import priced_items, prices_ahead
from portal.queries.members import roles
from portal.services import mailing
from portal.services.catalog.applying import wait_for_others
from portal.services.catalog.pairing import Pair, find_pair
from portal.services.recording import Doer
from portal.services.repricing import record_status

_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Migration:
    """What is asked for. accounts: their keys; everybody when empty."""

    old_key: str
    new_key: str
    notice: timedelta
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """One who pays the old price. key, tax: the account's. ahead: what comes of it."""

    account_id: int
    key: str
    tax: Tax
    subscription_id: int
    ahead: PriceAhead

    @classmethod
    def of(cls, state: AccountState, ahead: PriceAhead) -> Holder:
        """Raises ValueError without a subscription."""
        if state.subscription is None:
            raise ValueError("who holds something has a subscription")
        of, subscription_id = state.account, state.subscription.id
        return cls(of.id, of.key, of.tax, subscription_id, ahead)


@dataclass(frozen=True, slots=True)
class Announcement:
    """moved: to be moved, or just announced. waiting: announced before. problems: why nothing is
    done."""

    moved: tuple[Holder, ...] = ()
    waiting: tuple[Holder, ...] = ()
    problems: tuple[str, ...] = ()


def propose_migration(
    session: Session, scope: Scope, wanted: Migration, wall: WallNow
) -> Announcement:
    """What `announce_migration` would do; writes nothing."""
    pair = find_pair(session, scope, wanted.old_key, wanted.new_key)
    ids, unknown = account_ids(session, scope, wanted.accounts)
    found = _proposed(session, scope, pair, _holding(session, scope, pair, ids), wanted, wall)
    untold = _untold(session, scope, found.moved)
    return replace(found, problems=(*pair.problems, *unknown, *untold))


def announce_migration(
    session: Session, scope: Scope, wanted: Migration, doer: Doer, wall: WallNow
) -> Announcement:
    """Schedule the new price for each holder's own boundary and tell its members; all or nothing.

    Of what was announced for that boundary or later, the newer word takes the place. A second
    call finds nobody to move. Source: product.md §3; ADR 0017.
    """
    wait_for_others(session, scope)
    pair = find_pair(session, scope, wanted.old_key, wanted.new_key)
    lock_subscriptions(session, scope, _holding(session, scope, pair, None))
    found = propose_migration(session, scope, wanted, wall)
    if found.problems:
        session.rollback()
        return found
    for holder in found.moved:
        _announce(session, scope, holder, replace(doer, account_id=holder.account_id))
    session.commit()
    return found


def account_ids(
    session: Session, scope: Scope, keys: tuple[str, ...]
) -> tuple[set[int] | None, tuple[str, ...]]:
    """The ids behind the host's keys, None for everybody, and what is wrong with the keys."""
    if not keys:
        return None, ()
    rows = session.execute(
        select(AccountRow.key, AccountRow.id).where(
            AccountRow.environment_id == scope.environment_id, AccountRow.key.in_(keys)
        )
    )
    found = {row.key: row.id for row in rows}
    unknown = (f"there is no account {key}" for key in keys if key not in found)
    return set(found.values()), tuple(unknown)


def lock_subscriptions(session: Session, scope: Scope, accounts: Iterable[int]) -> None:
    """Their rows, in one order, before anything else of them is written."""
    session.execute(
        select(SubscriptionRow.id)
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id.in_(set(accounts)),
            SubscriptionRow.ended_at.is_(None),
        )
        .order_by(SubscriptionRow.id)
        .with_for_update()
    )


def _holding(session: Session, scope: Scope, pair: Pair, only: set[int] | None) -> list[int]:
    """Ids of accounts with something that costs, or will cost, one of the old prices."""
    here, olds = scope.environment_id, [row.id for row in pair.olds]
    plan, item, change = SubscriptionRow, InstanceRow, PriceChangeRow
    later = (change.new_price_id.in_(olds), change.status == "scheduled")
    on_plan = or_(plan.price_id.in_(olds), plan.usage_price_ids.overlap(olds))
    on_item = or_(item.price_id.in_(olds), item.usage_price_ids.overlap(olds))
    found = session.scalars(
        select(plan.account_id)
        .where(plan.environment_id == here, on_plan, plan.ended_at.is_(None))
        .union(
            select(item.account_id).where(item.environment_id == here, on_item),
            select(change.account_id).where(change.environment_id == here, *later),
        )
    )
    return sorted(id for id in found if only is None or id in only)


def _proposed(
    session: Session,
    scope: Scope,
    pair: Pair,
    accounts: list[int],
    wanted: Migration,
    wall: WallNow,
) -> Announcement:
    moved: list[Holder] = []
    waiting: list[Holder] = []
    if pair.new is None:
        return Announcement()
    olds, new = {price.id for price in pair.olds}, pair.new
    for account_id in accounts:
        state = account_state(session, scope, account_id, wall)
        if state.subscription is None:
            continue
        there = [each for each in prices_ahead(state) if each.change.new.id == new.id]
        done = {each.change.instance_id for each in there}
        waiting += [Holder.of(state, each) for each in there]
        moved += [
            Holder.of(state, each)
            for each in _moves(state, olds, new, wanted.notice)
            if each.change.instance_id not in done
        ]
    return Announcement(tuple(moved), tuple(waiting))


def _moves(
    state: AccountState, olds: set[int], new: Price, notice: timedelta
) -> Iterator[PriceAhead]:
    """What a move would mean for each thing the account pays, where it means anything."""
    promised = _first_periods(state)
    for item in priced_items(state):
        due: datetime = state.now + notice
        if item.instance_id in promised:
            due = max(due, promised[item.instance_id] + _MOMENT)
        boundary = first_boundary(item, due)
        old = price_before(item, boundary) if boundary else None
        if boundary is None or old is None or old.id not in olds:
            continue
        change = PriceChange(0, item.instance_id, old, new, state.now, boundary)
        found = ahead(with_change(item, change), change)
        if found is not None:
            yield found


def _first_periods(state: AccountState) -> dict[int | None, datetime]:
    """When the first period begins of what has none yet: it costs what was said at the sale."""
    found: dict[int | None, datetime] = {
        i.id: i.span.starts_at for i in state.instances if i.phase is Phase.SCHEDULED
    }
    subscription = state.subscription
    if subscription and subscription.status is SubscriptionStatus.TRIALING:
        found[None] = subscription.billed_until
    return found


def _untold(session: Session, scope: Scope, moved: tuple[Holder, ...]) -> Iterator[str]:
    """Accounts without a member who would get the notice: nobody pays more unsaid."""
    for id, key in dict.fromkeys((holder.account_id, holder.key) for holder in moved):
        if not any(is_told(role, PriceChanging.kind) for role in roles(session, scope, id)):
            yield f"account {key} has no member to tell"


def _announce(session: Session, scope: Scope, holder: Holder, doer: Doer) -> None:
    change = holder.ahead.change
    _withdraw_later(session, scope, holder, doer)
    row = PriceChangeRow(
        environment_id=scope.environment_id,
        account_id=holder.account_id,
        subscription_id=holder.subscription_id,
        instance_id=change.instance_id,
        feature_id=change.feature.id if change.feature else None,
        old_price_id=change.old.id,
        new_price_id=change.new.id,
        announced_at=change.announced_at,
        effective_at=change.effective_at,
        status="scheduled",
    )
    session.add(row)
    session.flush()
    record_status(session, scope, doer, row, change.announced_at)
    stored = replace(holder.ahead, change=replace(change, id=row.id))
    notice = told(stored, holder.tax, reminder=False)
    mailing.post(session, scope, holder.account_id, notice)


def _withdraw_later(session: Session, scope: Scope, holder: Holder, doer: Doer) -> None:
    """What the new word takes the place of."""
    change, row = holder.ahead.change, PriceChangeRow
    overtaken = select(row).where(
        row.environment_id == scope.environment_id,
        row.subscription_id == holder.subscription_id,
        row.instance_id.is_not_distinct_from(change.instance_id),
        row.feature_id.is_not_distinct_from(change.feature.id if change.feature else None),
        row.status == "scheduled",
        row.effective_at >= change.effective_at,
    )
    for each in session.scalars(overtaken):
        each.status = "withdrawn"
        record_status(session, scope, doer, each, change.announced_at)
    session.flush()
