"""An account's lots with units left: which of them are credits, where they came from, what ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.expiries import STEPS, outlives, step
from portal.domain.grants import LotSource
from portal.models.usage import LotRow
from portal.queries.accounts import AccountState
from portal.queries.loads import window_at

PLAN_GRANT = "plan-grant:"
"""How the source_key begins of a lot that a plan's credit grant brought."""


@dataclass(frozen=True, slots=True)
class CreditSource:
    """What brought a lot. purchase_id: None for a plan's grant, and where nothing was bought."""

    name: str
    is_plan: bool
    purchase_id: int | None = None


@dataclass(frozen=True, slots=True)
class Expiring:
    """A lot with units left that ends soon. days: as domain.expiries.STEPS has them."""

    lot_id: int
    feature: Feature
    left: Decimal
    expires_at: datetime
    days: int


def is_credit(row: LotRow) -> bool:
    """Whether a credit grant brought it, an add-on's or a plan's."""
    return row.source == LotSource.CREDIT_GRANT or row.source_key.startswith(PLAN_GRANT)


def credit_source(state: AccountState, instance_id: int | None, source_key: str) -> CreditSource:
    """The add-on or the plan behind a credit lot; its name is empty once it is not known."""
    if instance_id is None:
        grant_id = source_key.removeprefix(PLAN_GRANT).partition(":")[0]
        plans = (
            plan.name
            for plan in state.catalog.plans
            if grant_id in {str(grant.id) for grant in plan.credit_grants}
        )
        return CreditSource(next(plans, ""), is_plan=True)
    found = next((i for i in state.instances if i.id == instance_id), None)
    if found is None:
        return CreditSource("", is_plan=False)
    return CreditSource(found.add_on.name, is_plan=False, purchase_id=found.purchase_id)


def lots_left(session: Session, scope: Scope, state: AccountState) -> list[LotRow]:
    """Every lot with units that can be drawn now."""
    statement = select(LotRow).where(
        LotRow.environment_id == scope.environment_id,
        LotRow.account_id == state.account.id,
        LotRow.remaining > 0,
        LotRow.effective_at <= state.now,
        or_(LotRow.expires_at.is_(None), LotRow.expires_at > state.now),
    )
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def expiring(session: Session, scope: Scope, state: AccountState) -> tuple[Expiring, ...]:
    """Lots with units left whose first reminder has come, the soonest end first.

    Without those that come and go with a quota window, and none without a plan, when nothing can
    be used.
    """
    if state.subscription is None:
        return ()
    statement = select(LotRow).where(
        LotRow.environment_id == scope.environment_id,
        LotRow.account_id == state.account.id,
        ends_soon(state.now),
    )
    rows = session.scalars(statement.execution_options(populate_existing=True))
    found = [each for row in rows if (each := _expiring(state, row)) is not None]
    return tuple(sorted(found, key=lambda each: (each.expires_at, each.lot_id)))


def ends_soon(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Lots with units left that may have a reminder due at `now`; two days more for the zones."""
    ends_at: InstrumentedAttribute[datetime | None] = LotRow.expires_at
    return and_(
        LotRow.remaining > 0,
        ends_at > now,
        ends_at <= now + timedelta(days=STEPS[0] + 2),
        LotRow.source != LotSource.INSTANCE,
        LotRow.source_key.not_like("plan:%"),
    )


def today_of(state: AccountState) -> date:
    """The day in the account's zone."""
    return state.now.astimezone(ZoneInfo(state.account.zone)).date()


def _expiring(state: AccountState, row: LotRow) -> Expiring | None:
    if row.expires_at is None:
        return None
    feature = next(f for f in state.catalog.features if f.id == row.feature_id)
    began, ends = row.effective_at.astimezone(UTC), row.expires_at.astimezone(UTC)
    days = step(began, ends, state.account.zone, state.now)
    if days is None or not outlives(ends, window_at(state, feature, began)):
        return None
    return Expiring(row.id, feature, row.remaining, ends, days)
