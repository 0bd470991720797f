"""The active add-ons: one row for each instance, and those that have ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.entitlements import resolve
from portal.domain.instances import Phase, SubscriptionStatus
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.plan_limits import Misfit
from portal.domain.price_changes import PriceAhead, price_at
from portal.domain.taxes import tax_on
from portal.models.usage import CounterRow, LotRow
from portal.queries.accounts import AccountState
from portal.queries.billing import next_charge, prices_ahead
from portal.queries.contracts import contracts_of
from portal.queries.subscriptions import Instance
from portal.queries.usage import LEVEL_WINDOW, quota_windows, sources_of
from portal.queries.use_prices import UsePrice, use_price


@dataclass(frozen=True, slots=True)
class ActiveRow:
    """period: what is paid for now, or first, of a recurring instance. next_charge: at next_at,
    before tax.

    units, units_left: of its lots that are open now; None when it brings none. ahead: the prices
    that it will have later. uses: what it charges for use in the present quota windows.
    withdraw_until: how long a consumer can withdraw from its contract. paused: stopped with its
    plan until what is open is paid.
    """

    instance: Instance
    period: Period | None
    next_at: datetime | None
    next_charge: Money | None
    next_tax: Money | None
    units: Decimal | None
    units_left: Decimal | None
    ahead: tuple[PriceAhead, ...] = ()
    uses: tuple[UsePrice, ...] = ()
    withdraw_until: datetime | None = None
    paused: bool = False


def rows(session: Session, scope: Scope, state: AccountState) -> tuple[ActiveRow, ...]:
    """Instances held now, newest first."""
    lots = _lot_units(session, scope, state)
    later = prices_ahead(state)
    contracts = contracts_of(session, scope, state)
    held = sorted(state.held, key=lambda i: (i.span.starts_at, i.id), reverse=True)
    return tuple(
        replace(
            row_of(state, instance, lots.get(instance.id)),
            ahead=tuple(each for each in later if each.change.instance_id == instance.id),
            withdraw_until=contracts[instance.id].last_at if instance.id in contracts else None,
        )
        for instance in held
    )


def ended(state: AccountState) -> tuple[Instance, ...]:
    """Instances that are over, latest end first."""
    over = [i for i in state.instances if i.phase is Phase.ENDED]
    return tuple(sorted(over, key=lambda i: i.span.stops_at or i.span.starts_at, reverse=True))


def row_of(
    state: AccountState, instance: Instance, lot_units: tuple[Decimal, Decimal] | None = None
) -> ActiveRow:
    period, next_at, amount, tax = None, None, None, None
    waits = instance.phase is Phase.SCHEDULED
    if state.subscription and instance.price.is_recurring:
        cycle = instance.own_cycle(state.subscription.cycle)
        period = cycle.period_of(instance.price, max(state.now, instance.span.starts_at))
        if period and instance.billed_until and period.start < state.now < instance.billed_until:
            period = Period(period.start, instance.billed_until)
        if period and (instance.renews or (waits and not instance.ends_with_plan)):
            next_at = instance.span.starts_at if waits else period.end
            amount = next_charge(state, instance)
            tax = tax_on(state.account.tax, amount)
    units, left = lot_units or (None, None)
    uses = tuple(_uses(state, instance))
    paused = _is_suspended(state) and not waits
    return ActiveRow(instance, period, next_at, amount, tax, units, left, uses=uses, paused=paused)


def _is_suspended(state: AccountState) -> bool:
    subscription = state.subscription
    return subscription is not None and subscription.status is SubscriptionStatus.SUSPENDED


def _uses(state: AccountState, instance: Instance) -> Iterator[UsePrice]:
    for price in instance.usage_prices:
        if price.feature is not None and state.subscription is not None:
            anchor, interval = quota_windows(state, price.feature)
            window = anchor.period_at(state.now, interval)
            found = use_price(state, price.feature, window)
            now = price_at(state.price_changes, instance.id, price, state.now)
            if found is not None and found.price in (price, now):
                yield found


def wont_fit(
    session: Session,
    scope: Scope,
    state: AccountState,
    instance: Instance,
    at: datetime,
    instead: int = 0,
) -> tuple[Misfit, ...]:
    """What is in use now that the limits at `at` do not cover.

    instead: how many units of `instance` there are then.
    """
    others = sources_of(state, instance.id, instead)
    found = []
    for entitlement in instance.add_on.entitlements:
        feature = entitlement.feature
        if feature.use is None or feature.is_consumed:
            continue
        limit = resolve(feature, others, at).limit
        used = _level(session, scope, state, feature.id)
        if limit is not None and used > limit:
            found.append(Misfit(feature, used, limit))
    return tuple(found)


def _lot_units(
    session: Session, scope: Scope, state: AccountState
) -> dict[int, tuple[Decimal, Decimal]]:
    """Granted and remaining units of each instance's lots that are open now."""
    found = session.execute(
        select(LotRow.instance_id, func.sum(LotRow.granted), func.sum(LotRow.remaining))
        .where(
            LotRow.environment_id == scope.environment_id,
            LotRow.account_id == state.account.id,
            LotRow.instance_id.is_not(None),
            LotRow.effective_at <= state.now,
            func.coalesce(LotRow.expires_at > state.now, True),
        )
        .group_by(LotRow.instance_id)
    )
    return {key: (granted, left) for key, granted, left in found if key is not None}


def _level(session: Session, scope: Scope, state: AccountState, feature_id: int) -> Decimal:
    key = (scope.environment_id, state.account.id, feature_id, LEVEL_WINDOW)
    row = session.get(CounterRow, key)
    return row.used if row else Decimal(0)
