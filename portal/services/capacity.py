"""Lots: opening those that a purchase or a quota window brings, each at most once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.capacity import (
    Capacity,
    CapacityKind,
    brought_by,
    expiry_of,
    grant_period,
)
from portal.domain.catalog import Entitlement, Feature
from portal.domain.grants import LotSource
from portal.domain.instances import InstanceStatus
from portal.domain.periods import BillingPeriod, Interval, Period
from portal.models.session import only_reads
from portal.models.usage import LotRow
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import plan_at, plans_by, stops_granting
from portal.queries.subscriptions import Instance, Subscription

PLAN_PRIORITY = 40
PURCHASED_PRIORITY = 50


@dataclass(frozen=True, slots=True)
class NewLot:
    """source_key and effective_at name the lot; opening it again changes nothing."""

    feature: Feature
    source: LotSource
    source_key: str
    units: Decimal
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    instance_id: int | None = None
    promotional: bool = False


def open_windows(session: Session, scope: Scope, state: AccountState, at: datetime) -> None:
    """Open the lots of every quota window that contains `at`; commits nothing.

    Called before any read or draw of capacity, so that a late job is never an outage.
    Source: product.md §4a.
    """
    open_lots(session, scope, state.account.id, lots_at(state, at))


def lots_at(state: AccountState, at: datetime) -> list[NewLot]:
    """The lots of every quota window that contains `at`."""
    if state.subscription is None:
        return []
    lots = [*_plan_lots(state, state.subscription, at)]
    lots += _plan_grant_lots(state, state.subscription, at)
    for instance in state.instances:
        stops_at = stops_granting(state, instance)
        over = stops_at is not None and stops_at <= at
        if over or not _was_bought(instance) or not instance.span.covers(at):
            continue
        if instance.status is InstanceStatus.SCHEDULED:  # its start has come, its step has not
            lots += _purchased_lots(instance, state.subscription)
        if instance.price.is_recurring:
            lots += _window_lots(instance, state.subscription, at)
            lots += _grant_lots(instance, state.subscription, at)
    return lots


def open_windows_now(session: Session, scope: Scope, state: AccountState) -> None:
    """Open the lots of the present windows for a page that shows them; commit.

    Where nothing may be written, `note_page` did it before.
    """
    if only_reads(session):
        return
    open_windows(session, scope, state, state.now)
    session.commit()


def open_purchased(session: Session, scope: Scope, state: AccountState, instance: Instance) -> None:
    """Open the lots that buying `instance` brings at its start."""
    if state.subscription is None:
        return
    lots = list(_purchased_lots(instance, state.subscription))
    open_lots(session, scope, state.account.id, lots)


def open_lots(session: Session, scope: Scope, account_id: int, lots: list[NewLot]) -> None:
    """Insert those lots that are not there yet, in one order: others may open the same ones."""
    if not lots:
        return
    ordered = sorted(lots, key=lambda lot: (lot.priority, lot.source_key, lot.effective_at))
    rows = [_row(scope, account_id, lot) for lot in ordered]
    session.execute(insert(LotRow).values(rows).on_conflict_do_nothing())


def _plan_lots(state: AccountState, subscription: Subscription, at: datetime) -> Iterator[NewLot]:
    """A window has the lots of the plan that it began with: what a change brings to one that runs
    on comes with the change, but where nothing was counted before."""
    unlimited = {e.feature.id for e in subscription.plan.entitlements if _is_unlimited(e)}
    for plan, _, _ in plans_by(state, at):
        for entitlement in plan.entitlements:
            window = _window(subscription, entitlement, at)
            uncounted = plan is not subscription.plan and entitlement.feature.id in unlimited
            begun = plan_at(state, window.start) is plan or uncounted
            if begun and _brings_window_lots(entitlement):
                yield NewLot(
                    feature=entitlement.feature,
                    source=LotSource.PLAN,
                    source_key=f"plan:{entitlement.id}",
                    units=Decimal(entitlement.usage_limit or 0),
                    priority=PLAN_PRIORITY,
                    effective_at=window.start,
                    expires_at=window.end,
                )


def _is_unlimited(entitlement: Entitlement) -> bool:
    return entitlement.is_enabled and entitlement.usage_limit is None


def _plan_grant_lots(
    state: AccountState, subscription: Subscription, at: datetime
) -> Iterator[NewLot]:
    """Those that come once come with the plan, and not again with a plan that comes back."""
    began, cycle = subscription.cycle.billing_anchor.at, subscription.cycle
    for plan, price, since in plans_by(state, at):
        for grant in plan.credit_grants:
            period = grant_period(grant, price, cycle, began, at)
            start, key = (period.start, "") if period else (since, f":{subscription.id}")
            if plan_at(state, start) is plan:
                yield NewLot(
                    feature=grant.feature,
                    source=LotSource.PLAN,
                    source_key=f"plan-grant:{grant.id}{key}",
                    units=grant.credits,
                    priority=grant.priority,
                    effective_at=start,
                    expires_at=expiry_of(grant, cycle, start),
                )


def _window_lots(instance: Instance, subscription: Subscription, at: datetime) -> Iterator[NewLot]:
    """Later windows of a recurring instance; its first lots are `_purchased_lots`."""
    for entitlement in instance.add_on.entitlements:
        window = _window(subscription, entitlement, at)
        if _brings_window_lots(entitlement) and instance.span.starts_at <= window.start:
            units = Decimal((entitlement.usage_limit or 0) * instance.quantity)
            yield _instance_lot(instance, entitlement, units, window)


def _grant_lots(instance: Instance, subscription: Subscription, at: datetime) -> Iterator[NewLot]:
    """The recurring credit grants of later periods; the first lots are `_purchased_lots`."""
    since, cycle = instance.span.starts_at, subscription.cycle
    for grant in instance.add_on.credit_grants:
        own = instance.own_cycle(cycle)
        period = grant_period(grant, instance.price, own, since, at)
        if period is not None and since <= period.start:
            yield NewLot(
                feature=grant.feature,
                source=LotSource.CREDIT_GRANT,
                source_key=f"instance:{instance.id}:grant:{grant.id}",
                units=grant.credits * instance.quantity,
                priority=grant.priority,
                effective_at=period.start,
                expires_at=expiry_of(grant, cycle, period.start),
                instance_id=instance.id,
            )


def _purchased_lots(instance: Instance, subscription: Subscription) -> Iterator[NewLot]:
    start = instance.span.starts_at
    brought = brought_by(
        instance.add_on,
        instance.price,
        instance.quantity,
        subscription.cycle,
        start,
        instance.span.cancel_at,
    )
    for capacity in brought:
        if capacity.kind is CapacityKind.LOT and capacity.units is not None:
            yield _purchased_lot(instance, capacity, capacity.units)


def _purchased_lot(instance: Instance, capacity: Capacity, units: Decimal) -> NewLot:
    grant, entitlement = capacity.credit_grant, capacity.entitlement
    recurring = instance.price.is_recurring
    if grant is not None:
        source, key = LotSource.CREDIT_GRANT, f"instance:{instance.id}:grant:{grant.id}"
    else:
        source = LotSource.INSTANCE if recurring else LotSource.PACK
        key = f"instance:{instance.id}:{entitlement.id if entitlement else 0}"
    return NewLot(
        feature=capacity.feature,
        source=source,
        source_key=key,
        units=units,
        priority=grant.priority if grant else PURCHASED_PRIORITY,
        effective_at=instance.span.starts_at,
        expires_at=capacity.until,
        instance_id=instance.id,
    )


def _instance_lot(
    instance: Instance, entitlement: Entitlement, units: Decimal, window: Period
) -> NewLot:
    return NewLot(
        feature=entitlement.feature,
        source=LotSource.INSTANCE,
        source_key=f"instance:{instance.id}:{entitlement.id}",
        units=units,
        priority=PURCHASED_PRIORITY,
        effective_at=window.start,
        expires_at=window.end,
        instance_id=instance.id,
    )


def _was_bought(instance: Instance) -> bool:
    """False while its payment is open, and once that has failed: nothing unlocks unpaid."""
    return instance.status not in (InstanceStatus.PENDING_PAYMENT, InstanceStatus.FAILED)


def _brings_window_lots(entitlement: Entitlement) -> bool:
    limited = entitlement.usage_limit is not None
    return entitlement.feature.is_consumed and entitlement.is_enabled and limited


def _window(subscription: Subscription, entitlement: Entitlement, at: datetime) -> Period:
    period = entitlement.usage_reset_period or BillingPeriod.MONTHLY
    return subscription.cycle.quota_window(at, Interval(period))


def _row(scope: Scope, account_id: int, lot: NewLot) -> dict[str, object]:
    return {
        "environment_id": scope.environment_id,
        "account_id": account_id,
        "feature_id": lot.feature.id,
        "instance_id": lot.instance_id,
        "source": lot.source,
        "source_key": lot.source_key,
        "granted": lot.units,
        "remaining": lot.units,
        "priority": lot.priority,
        "promotional": lot.promotional,
        "effective_at": lot.effective_at,
        "expires_at": lot.expires_at,
    }
