"""Counting what was used: each event once, drawn in burn order; what no lot covers is excess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import delete, exists, func, select, true
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.usage import (
    IDS_KEPT,
    MOST_EVENTS,
    OLDEST,
    Duplicate,
    Refusal,
    Refused,
    Usage,
    Verdict,
)
from portal.models.accounts import AccountRow
from portal.models.recharge import RechargePolicyRow
from portal.models.usage import UsageIdRow
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import use_turns
from portal.queries.counting import counting_state
from portal.services import recharge_news
from portal.services.alerting import alert
from portal.services.arrears import turn_use
from portal.services.correcting import Correction, give_back
from portal.services.drawing import count_use
from portal.services.placing import Placed, open_lots_for, place_all


def ingest(
    session: Session, scope: Scope, account_id: int, events: Sequence[Usage], *, wall: WallNow
) -> tuple[Verdict, ...]:
    """Count up to MOST_EVENTS events of one account; commit; one verdict each, in their order.

    A refused event takes nothing from the others. Checks refuse, counting never does: what no lot
    covers is excess. Corrections come after the use they are sent with. Members are told of a quota
    that runs low. Safe to repeat, also after a crash: what was counted is then told as a duplicate.
    Raises NotFound for no such account, ValueError for too many events.
    Source: product.md §4a.
    """
    verdicts = _verdicts(session, scope, account_id, events, wall, OLDEST)
    session.commit()
    return verdicts


def ingest_all(
    session: Session,
    scope: Scope,
    reports: Mapping[int, Sequence[Usage]],
    *,
    wall: WallNow,
) -> dict[int, tuple[Verdict, ...]]:
    """`ingest` for several accounts by their ids, each in a transaction of its own.

    Raises ValueError for more than MOST_EVENTS in all.
    """
    _fits(sum(len(events) for events in reports.values()))
    return {
        account_id: ingest(session, scope, account_id, reports[account_id], wall=wall)
        for account_id in sorted(reports)
    }


def count(
    session: Session, scope: Scope, account_id: int, reported: Sequence[Usage], wall: WallNow
) -> int:
    """Count what happened before the portal was there, in the windows it happened in; commit.

    Returns how many were new. Raises ValueError for the first that cannot be counted; then none
    is.
    """
    verdicts = _verdicts(session, scope, account_id, reported, wall, None)
    for verdict in verdicts:
        if isinstance(verdict, Refused):
            session.rollback()
            raise ValueError(f"{verdict.event_id}: {verdict.detail}")
    session.commit()
    return len([verdict for verdict in verdicts if not isinstance(verdict, Duplicate)])


def forget_ids(session: Session, scope: Scope, wall: WallNow) -> int:
    """Delete the ids of events that are too old to be counted again; commit; return how many."""
    now = func.coalesce(AccountRow.test_clock_at, wall)
    old = delete(UsageIdRow).where(
        UsageIdRow.environment_id == scope.environment_id,
        AccountRow.environment_id == scope.environment_id,
        AccountRow.id == UsageIdRow.account_id,
        UsageIdRow.received_at < now - IDS_KEPT,
    )
    gone = len(session.scalars(old.returning(UsageIdRow.event_id)).all())
    session.commit()
    return gone


def _verdicts(
    session: Session,
    scope: Scope,
    account_id: int,
    events: Sequence[Usage],
    wall: WallNow,
    oldest: timedelta | None,
) -> tuple[Verdict, ...]:
    """Count what can be counted, and commit nothing; of an id sent twice the first one counts."""
    _fits(len(events))
    recharges = _line_up(session, scope, account_id)
    state = counting_state(session, scope, account_id, wall)
    if use_turns(state):
        session.rollback()
        turn_use(session, scope, account_id, wall)
        recharges = _line_up(session, scope, account_id)
        state = counting_state(session, scope, account_id, wall)
    placed = place_all(state, events, oldest)
    first: dict[str, Placed] = {}
    for each in placed:
        if isinstance(each, Placed):
            first.setdefault(each.event.event_id, each)
    open_lots_for(session, scope, state, first.values())
    tells = None if oldest is None else wall
    fates = _fates(session, scope, state, list(first.values()), tells)
    if recharges and first:
        recharge_news.drawn(session, scope, account_id, state.now)
    return tuple(
        each if isinstance(each, Refused) else _told(each, first, fates) for each in placed
    )


def _fates(
    session: Session, scope: Scope, state: AccountState, placed: list[Placed], tells: WallNow | None
) -> dict[str, Verdict]:
    """What became of each, by its event's id. tells: the real now, None tells nobody."""
    use = [each for each in placed if not each.is_correction]
    fresh = count_use(session, scope, state.account.id, use, state.now)
    fates: dict[str, Verdict] = {
        each.event.event_id: each.verdict
        if each.event.event_id in fresh
        else Duplicate(each.event.event_id)
        for each in use
    }
    for each in placed:
        if each.is_correction:
            made = give_back(session, scope, state.account.id, each, state.now)
            fates[each.event.event_id] = _corrected(each, made)
    if fresh and tells is not None:
        alert(session, scope, state, use, fresh, tells)
    return fates


def _corrected(placed: Placed, made: Correction) -> Verdict:
    event_id = placed.event.event_id
    match made:
        case Correction.MADE:
            return placed.verdict
        case Correction.KNOWN:
            return Duplicate(event_id)
        case Correction.MORE_THAN_USED:
            said = f"Less than that was used in its window, or on {placed.day}, or so broken down."
            return Refused(event_id, Refusal.MORE_THAN_USED, said)


def _told(placed: Placed, first: Mapping[str, Placed], fates: Mapping[str, Verdict]) -> Verdict:
    event_id = placed.event.event_id
    fate = fates[event_id]
    if placed is first[event_id] or isinstance(fate, Refused):
        return fate
    return Duplicate(event_id)


def _line_up(session: Session, scope: Scope, account_id: int) -> bool:
    """Let one report of an account be counted at a time: the statements that follow see all that
    was counted before them. Compiling those would take longer than running them.

    Whether any auto-recharge is on.
    """
    on = exists().where(
        RechargePolicyRow.environment_id == AccountRow.environment_id,
        RechargePolicyRow.account_id == AccountRow.id,
        RechargePolicyRow.status == "on",
    )
    locked = session.execute(
        select(AccountRow.id, func.set_config("jit", "off", true()), on)
        .where(AccountRow.environment_id == scope.environment_id, AccountRow.id == account_id)
        .with_for_update(key_share=True)
    ).first()
    return locked is not None and bool(locked[2])


def _fits(events: int) -> None:
    if events > MOST_EVENTS:
        raise ValueError(f"a report has at most {MOST_EVENTS} events")
