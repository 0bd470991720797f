"""The rows behind an account's state, each kind read in one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Exists, ScalarSelect, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope
from portal.domain.catalog import Plan
from portal.models.accounts import AccountRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.price_changes import PriceChangeRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import InstanceRow, PlanChangeRow, SubscriptionRow
from portal.queries.agreed import price_ids
from portal.queries.arrears import UnbilledRows, has_unbilled, unbilled_rows
from portal.queries.subscriptions import BoughtRow, Subscription


@dataclass(frozen=True, slots=True)
class LiveRows:
    """A subscription that has not ended, the change of its plan that is agreed for the end of the
    term, the purchase of one that is not paid for yet, the price changes that wait, what was used
    beyond the allowance, and whether any of its invoices is not paid."""

    subscription: SubscriptionRow
    change: PlanChangeRow | None
    plan_purchase_id: int | None
    price_changes: tuple[PriceChangeRow, ...]
    unbilled: UnbilledRows
    owes: bool


@dataclass(frozen=True, slots=True)
class FormerPlan:
    """A plan that an account had, and when that ended.

    is_closed: False while it is over by the clock alone. purchase_id: of a plan that is to begin
    and is not paid for yet. open_invoice: the number of the oldest that is not paid, None without.
    """

    subscription_id: int
    plan_id: int
    name: str
    ended_at: datetime
    is_closed: bool
    purchase_id: int | None
    open_invoice: int | None


def former_plan(
    session: Session,
    scope: Scope,
    account_id: int,
    plans: Iterable[Plan],
    over: Subscription | None,
) -> FormerPlan | None:
    """The plan that ended last. over: one that has, by the clock, and is not closed yet."""
    ended = (
        select(SubscriptionRow, _unpaid_plan(scope, account_id), _open_invoice(scope, account_id))
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.id == over.id if over else SubscriptionRow.ended_at.is_not(None),
        )
        .order_by(SubscriptionRow.ended_at.desc(), SubscriptionRow.id.desc())
        .limit(1)
    )
    found = session.execute(ended.execution_options(populate_existing=True)).first()
    ended_at = over.ends_at if over else found[0].ended_at if found else None
    if found is None or ended_at is None:
        return None
    row, purchase_id, invoice = found
    name = next(plan.name for plan in plans if plan.id == row.plan_id)
    closed = row.ended_at is not None
    ended_at = ended_at.astimezone(UTC)
    return FormerPlan(row.id, row.plan_id, name, ended_at, closed, purchase_id, invoice)


def live_rows(session: Session, scope: Scope, account_id: int) -> LiveRows | None:
    agreed = and_(
        PlanChangeRow.environment_id == SubscriptionRow.environment_id,
        PlanChangeRow.subscription_id == SubscriptionRow.id,
        PlanChangeRow.status == "scheduled",
    )
    statement = (
        select(
            SubscriptionRow,
            PlanChangeRow,
            _unpaid_plan(scope, account_id),
            _repriced(),
            has_unbilled(),
            _owes(),
        )
        .outerjoin(PlanChangeRow, agreed)
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.ended_at.is_(None),
        )
    )
    found = session.execute(statement.execution_options(populate_existing=True)).first()
    if found is None:
        return None
    changes = price_change_rows(session, found[0]) if found[3] else ()
    unbilled = unbilled_rows(session, found[0]) if found[4] else UnbilledRows()
    return LiveRows(found[0], found[1], found[2], changes, unbilled, found[5])


def _unpaid_plan(scope: Scope, account_id: int) -> ScalarSelect[int | None]:
    """The purchase of a plan, or of a change of one, whose payment has no end yet."""
    unpaid = select(func.min(PurchaseRow.id)).where(
        PurchaseRow.environment_id == scope.environment_id,
        PurchaseRow.account_id == account_id,
        PurchaseRow.kind == "plan",
        PurchaseRow.status == "reserved",
    )
    return unpaid.scalar_subquery()


def _open_invoice(scope: Scope, account_id: int) -> ScalarSelect[int | None]:
    """The number of the account's oldest invoice that is not paid."""
    owed = and_(
        CollectionRow.environment_id == InvoiceRow.environment_id,
        CollectionRow.invoice_id == InvoiceRow.id,
        CollectionRow.status == "open",
    )
    unpaid = (
        select(func.min(InvoiceRow.number))
        .join(CollectionRow, owed)
        .where(
            InvoiceRow.environment_id == scope.environment_id, InvoiceRow.account_id == account_id
        )
    )
    return unpaid.scalar_subquery()


def _owes() -> Exists:
    """Whether any invoice of the subscription is open, its charge refused or not answered yet."""
    return exists().where(
        CollectionRow.environment_id == SubscriptionRow.environment_id,
        CollectionRow.subscription_id == SubscriptionRow.id,
        CollectionRow.status == "open",
    )


def _repriced() -> Exists:
    """Whether any price change of the subscription waits: most have none to read."""
    return exists().where(
        PriceChangeRow.environment_id == SubscriptionRow.environment_id,
        PriceChangeRow.subscription_id == SubscriptionRow.id,
        PriceChangeRow.status == "scheduled",
    )


def price_change_rows(session: Session, row: SubscriptionRow) -> tuple[PriceChangeRow, ...]:
    """Those of a subscription that wait, in the order in which they come."""
    waiting = select(PriceChangeRow).where(
        PriceChangeRow.environment_id == row.environment_id,
        PriceChangeRow.subscription_id == row.id,
        PriceChangeRow.status == "scheduled",
    )
    in_order = waiting.order_by(PriceChangeRow.effective_at, PriceChangeRow.id)
    return tuple(session.scalars(in_order.execution_options(populate_existing=True)))


def instance_rows(session: Session, scope: Scope, account_id: int) -> list[BoughtRow]:
    raising = aliased(PurchaseRow)
    bought = and_(
        PurchaseRow.environment_id == InstanceRow.environment_id,
        PurchaseRow.instance_id == InstanceRow.id,
        PurchaseRow.kind == "add_on",
    )
    more = and_(
        raising.environment_id == InstanceRow.environment_id,
        raising.instance_id == InstanceRow.id,
        raising.kind == "quantity",
        raising.status == "reserved",
    )
    quoted = and_(
        QuoteRow.environment_id == raising.environment_id, QuoteRow.id == raising.quote_id
    )
    statement = (
        select(InstanceRow, PurchaseRow.id, raising.id, QuoteRow.promise["added"].as_integer())
        .outerjoin(PurchaseRow, bought)
        .outerjoin(raising, more)
        .outerjoin(QuoteRow, quoted)
        .where(
            InstanceRow.environment_id == scope.environment_id, InstanceRow.account_id == account_id
        )
    )
    rows = session.execute(statement.order_by(InstanceRow.starts_at, InstanceRow.id))
    return [
        BoughtRow(row, bought_id, raise_id, added or 0) for row, bought_id, raise_id, added in rows
    ]


def named_prices(live: LiveRows | None, instances: list[BoughtRow]) -> set[int]:
    """The id of every price that one of these rows names."""
    found = {each.row.price_id for each in instances}
    found = found.union(*(each.row.usage_price_ids for each in instances))
    if live is None:
        return found
    found |= {live.subscription.price_id, *live.subscription.usage_price_ids}
    found |= live.unbilled.price_ids.union(price_ids(live.change) if live.change else ())
    return found.union(*((row.old_price_id, row.new_price_id) for row in live.price_changes))


def account_ids(session: Session, scope: Scope, keys: Iterable[str]) -> dict[str, int]:
    """The ids behind the host's own keys; those of no account are left out."""
    plain = [key for key in keys if "\x00" not in key]
    rows = session.execute(
        select(AccountRow.key, AccountRow.id).where(
            AccountRow.environment_id == scope.environment_id, AccountRow.key.in_(plain)
        )
    )
    return {row.key: row.id for row in rows}
