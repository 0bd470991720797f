"""Taking back a new price that was announced and is not applied yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope
from portal.domain.dunning import bills_on
from portal.domain.periods import WallNow
from portal.domain.price_changes import told_off
from portal.models.catalog import PriceRow
from portal.models.price_changes import PriceChangeRow
from portal.queries.accounts import account_state
from portal.queries.billing import prices_ahead
from portal.services import mailing
from portal.services.catalog.applying import wait_for_others
from portal.services.catalog.migrating import (
    Announcement,
    Holder,
    Migration,
    account_ids,
    lock_subscriptions,
)
from portal.services.recording import Doer
from portal.services.repricing import record_status


def call_off_migration(
    session: Session, scope: Scope, wanted: Migration, doer: Doer, wall: WallNow
) -> Announcement:
    """Take back what was announced from OLD to NEW, and tell the members who were told.

    What has come stays, whether or not its renewal has run, unless nothing is billed any more; a
    price for use, which holds by the clock, in any case.
    waiting: those whose price stays after all.
    """
    wait_for_others(session, scope)
    ids, unknown = account_ids(session, scope, wanted.accounts)
    if unknown:
        session.rollback()
        return Announcement(problems=unknown)
    lock_subscriptions(session, scope, _rows(session, scope, wanted, ids))
    stayed = [
        holder
        for account_id, rows in _rows(session, scope, wanted, ids).items()
        for holder in _call_off(session, scope, account_id, rows, doer, wall)
    ]
    session.commit()
    return Announcement(waiting=tuple(stayed))


def _rows(
    session: Session, scope: Scope, wanted: Migration, only: set[int] | None
) -> dict[int, list[PriceChangeRow]]:
    """What waits from OLD to NEW, by account."""
    row, old, new = PriceChangeRow, aliased(PriceRow), aliased(PriceRow)
    here = row.environment_id == scope.environment_id
    statement = (
        select(row)
        .join(old, and_(old.environment_id == row.environment_id, old.id == row.old_price_id))
        .join(new, and_(new.environment_id == row.environment_id, new.id == row.new_price_id))
        .where(here, row.status == "scheduled")
        .where(old.lookup_key == wanted.old_key, new.lookup_key == wanted.new_key)
        .order_by(row.account_id, row.effective_at, row.id)
        .execution_options(populate_existing=True)
    )
    found: defaultdict[int, list[PriceChangeRow]] = defaultdict(list)
    for each in session.scalars(statement):
        if only is None or each.account_id in only:
            found[each.account_id].append(each)
    return found


def _call_off(
    session: Session,
    scope: Scope,
    account_id: int,
    rows: list[PriceChangeRow],
    doer: Doer,
    wall: WallNow,
) -> Iterator[Holder]:
    state = account_state(session, scope, account_id, wall)
    waits = {each.change.id: each for each in prices_ahead(state)}
    billed = state.subscription is not None and bills_on(state.subscription.status)
    for row in rows:
        holds = billed or row.feature_id is not None
        if holds and row.effective_at <= state.now:
            continue
        row.status = "withdrawn"
        record_status(session, scope, replace(doer, account_id=account_id), row, state.now)
        if ahead := waits.get(row.id):
            mailing.post(session, scope, account_id, told_off(ahead, state.account.tax))
            yield Holder.of(state, ahead)
