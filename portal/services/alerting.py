"""Telling members that a quota runs low, in the transaction of the use that makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.alerts import due
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.use_notices import Measured, QuotaReached
from portal.models.alerts import QuotaAlertRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.loads import QuotaLoad, loads, window_at
from portal.services import mailing
from portal.services.drawing import Fresh
from portal.services.placing import Placed
from portal.services.quota import help_with
from portal.services.recording import Doer, record


def alert(
    session: Session,
    scope: Scope,
    state: AccountState,
    placed: Iterable[Placed],
    fresh: Mapping[str, Fresh],
    wall: WallNow,
) -> None:
    """Store each threshold that use has just reached, and a mail about the highest; commit nothing.

    placed: the use of a report; fresh: what became of those events that were new. One statement
    while no threshold is due. Use of windows that are over alerts nobody. The account's row is
    locked. Source: product.md §6 (alerts).
    """
    present = [
        each
        for each in placed
        if each.event.event_id in fresh
        if not each.feature.is_consumed
        or each.window_start_at == window_at(state, each.feature, state.now).start
    ]
    features = {each.feature.id: each.feature for each in present}
    for quota in loads(session, scope, state, features.values()):
        mine = [fresh[e.event.event_id] for e in present if e.feature == quota.feature]
        before = _before(quota, mine)
        is_level = not quota.feature.is_consumed
        thresholds = due(quota.load, before, quota.told, is_level=is_level)
        if thresholds and _stored(session, scope, state, quota, thresholds):
            _record(session, scope, state, quota, thresholds[-1])
            buyer = account_state(session, scope, state.account.id, wall)
            _tell(session, scope, buyer, quota, thresholds[-1])


def _before(quota: QuotaLoad, mine: list[Fresh]) -> Decimal:
    """What was used before these events."""
    if quota.feature.is_consumed:
        return quota.load.used - sum((each.drawn for each in mine), Decimal(0))
    return mine[0].counted_before


def _stored(
    session: Session,
    scope: Scope,
    state: AccountState,
    quota: QuotaLoad,
    thresholds: tuple[int, ...],
) -> bool:
    """Whether any of them was not there yet."""
    shared = {
        "environment_id": scope.environment_id,
        "account_id": state.account.id,
        "feature_id": quota.feature.id,
        "window_start_at": quota.window.start,
        "allowance": quota.load.allowance,
        "used": quota.load.used,
        "at": state.now,
    }
    rows = [shared | {"threshold": each} for each in thresholds]
    added = insert(QuotaAlertRow).values(rows).on_conflict_do_nothing()
    return bool(session.scalars(added.returning(QuotaAlertRow.id)).all())


def _record(
    session: Session, scope: Scope, state: AccountState, quota: QuotaLoad, threshold: int
) -> None:
    """For the account's history, and the host."""
    record(
        session, scope, Doer("usage", state.account.id), EventName.QUOTA_REACHED,
        f"feature:{quota.feature.id}", state.now,
        feature=quota.feature.lookup_key, threshold=threshold, used=_plain(quota.load.used),
        allowance=_plain(quota.load.allowance or Decimal(0)),
    )  # fmt: skip


def _plain(units: Decimal) -> str:
    """`90000`, without the zeros that a table adds."""
    return f"{units.normalize():f}"


def _tell(
    session: Session, scope: Scope, state: AccountState, quota: QuotaLoad, threshold: int
) -> None:
    """state: fresh, for what can be bought now."""
    feature = quota.feature
    notice = QuotaReached(
        account_id=state.account.id,
        feature=Measured(feature.id, feature.name, feature.unit_plural),
        threshold=threshold,
        used=quota.load.used,
        allowance=quota.load.allowance or Decimal(0),
        window_start_at=quota.window.start,
        resets_at=quota.window.end if feature.is_consumed else None,
        help=help_with(state, feature),
    )
    mailing.post(session, scope, state.account.id, notice)
