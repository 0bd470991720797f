"""What a plan depends on that begins once another has ended, and why it cannot."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Plan
from portal.domain.errors import NotFound
from portal.domain.lines import Means
from portal.domain.periods import Interval
from portal.domain.plan_beginnings import Returning
from portal.domain.plan_limits import Level
from portal.domain.plan_moves import PlanReason, sale_refusal
from portal.models.usage import CounterRow
from portal.queries.accounts import AccountState
from portal.queries.usage import LEVEL_WINDOW


def returning(session: Session, scope: Scope, state: AccountState) -> Returning:
    """Raises NotFound for an account that never had a plan."""
    former, account = state.former, state.account
    if former is None:
        raise NotFound("former plan")
    return Returning(
        account_id=account.id,
        former=next(p.lookup_key for p in state.catalog.plans if p.id == former.plan_id),
        zone=account.zone,
        means=Means(account.currency, account.tax, state.balance, state.carried),
        levels=levels(session, scope, state),
    )


def beginning_refusal(state: AccountState, target: Plan, interval: Interval) -> PlanReason | None:
    """Why `target` cannot begin now, the most telling reason first; the host begins the first plan
    of an account. Source: ADR 0031."""
    former = state.former
    if former is None:
        return PlanReason.NO_SUBSCRIPTION
    if reason := sale_refusal(target, state.account.currency, interval):
        return reason
    if not former.is_closed:
        return PlanReason.CLOSING
    return PlanReason.UNPAID if former.open_invoice is not None else None


def levels(session: Session, scope: Scope, state: AccountState) -> tuple[Level, ...]:
    """How full each held feature is."""
    rows = session.scalars(
        select(CounterRow)
        .where(
            CounterRow.environment_id == scope.environment_id,
            CounterRow.account_id == state.account.id,
            CounterRow.window_start_at == LEVEL_WINDOW,
        )
        .order_by(CounterRow.feature_id)
    )
    features = {feature.id: feature for feature in state.catalog.features}
    return tuple(Level(features[row.feature_id], row.used) for row in rows)
