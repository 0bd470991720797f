"""A subscription and the instances on it, as they are stored and as the clock has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from portal.domain.capacity import Cycle
from portal.domain.catalog import AddOn, Catalog, Plan, Price
from portal.domain.instances import InstanceStatus, Phase, Span, SubscriptionStatus, phase
from portal.domain.periods import Anchor, BillingNow, BillingPeriod, Interval
from portal.models.subscriptions import InstanceRow, SubscriptionRow


@dataclass(frozen=True, slots=True)
class BoughtRow:
    """An instance, and the id of its purchase where it was bought.

    raise_purchase_id: of more units that are not paid for yet; raised: how many.
    """

    row: InstanceRow
    purchase_id: int | None
    raise_purchase_id: int | None
    raised: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """price: the plan's price as it was sold. billed_until: what the plan was billed for ends.

    resumed_at: when it was restored from suspension last. cancel_at: the end of the term that it
    is not renewed after; until then it can be kept. ends_at: when it ends then, with its add-ons;
    later where one of them is paid for longer. usage_prices: what use beyond the allowance costs,
    as it was sold. use_billed_until: what of it fell due by then is billed. use_apart_until: what
    was used by then is settled. plan_paid_from: when the plan came, or its trial ended.
    """

    id: int
    status: SubscriptionStatus
    plan: Plan
    price: Price
    cycle: Cycle
    billed_until: datetime
    resumed_at: datetime | None
    started_at: datetime
    use_billed_until: datetime
    plan_paid_from: datetime
    use_apart_until: datetime
    usage_prices: tuple[Price, ...] = ()
    cancel_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One purchase of an add-on, and where the clock has it now.

    purchase_id: how it was paid for; None where nothing was bought. billed_until: the end of what
    it was billed for, None for what is charged once. anchor_at: its own boundary 0, where it is
    not the plan's. next_quantity: fewer units, agreed for its boundary next_quantity_at.
    quantity: by the clock; billed_quantity: until a bill says that boundary has come.
    raise_purchase_id: of more units that are not paid for yet; raised: how many. usage_prices: what
    it charges for use beyond the allowance, as it was sold.
    """

    id: int
    add_on: AddOn
    quantity: int
    price: Price
    status: InstanceStatus
    span: Span
    phase: Phase
    cancel_reason: str
    purchase_id: int | None = None
    billed_until: datetime | None = None
    anchor_at: datetime | None = None
    billed_quantity: int = 1
    next_quantity: int | None = None
    next_quantity_at: datetime | None = None
    raise_purchase_id: int | None = None
    raised: int = 0
    usage_prices: tuple[Price, ...] = ()

    @property
    def renews(self) -> bool:
        """True while it will be charged again and again: recurring, and neither it nor, before its
        next period, the plan cancelled."""
        goes_on = self.phase in (Phase.ACTIVE, Phase.SCHEDULED) and self.span.cancel_at is None
        return self.price.is_recurring and goes_on and not self.ends_with_plan

    @property
    def ends_with_plan(self) -> bool:
        """Whether it ends, without another charge, because the plan does."""
        ends, paid = self.span.ends_at, self.billed_until
        if not self.price.is_recurring or ends is None:
            return False
        return paid is None or ends <= paid

    def quantity_at(self, at: datetime) -> int:
        """The units that it has at `at`, now or later, as agreed so far."""
        if self.next_quantity is None or self.next_quantity_at is None:
            return self.quantity
        return self.next_quantity if self.next_quantity_at <= at else self.billed_quantity

    def own_cycle(self, plan: Cycle) -> Cycle:
        """The plan's clocks, with the instance's own boundary 0 where it has one."""
        if self.anchor_at is None:
            return plan
        return replace(plan, billing_anchor=replace(plan.billing_anchor, at=self.anchor_at))


def subscription_of(
    row: SubscriptionRow, catalog: Catalog, prices: dict[int, Price], zone: str
) -> Subscription:
    """As if nothing were cancelled; `ending` says when it ends."""
    price = prices[row.price_id]
    return Subscription(
        id=row.id,
        status=SubscriptionStatus(row.status),
        plan=next(plan for plan in catalog.plans if plan.id == row.plan_id),
        price=price,
        cycle=Cycle(
            interval=price.interval or Interval(BillingPeriod.MONTHLY),
            billing_anchor=Anchor(_utc(row.billing_anchor_at), zone),
            quota_anchor=Anchor(_utc(row.quota_anchor_at), zone),
        ),
        billed_until=_utc(row.billed_until_at),
        resumed_at=_utc_or_none(row.resumed_at),
        started_at=_utc(row.started_at),
        plan_paid_from=_utc(row.plan_paid_from_at),
        use_billed_until=_utc(row.use_billed_until_at),
        use_apart_until=_utc(row.use_apart_until_at or row.started_at),
        usage_prices=tuple(prices[id] for id in row.usage_price_ids),
    )


def instance_of(
    bought: BoughtRow, add_ons: dict[int, AddOn], prices: dict[int, Price], now: BillingNow
) -> Instance:
    row = bought.row
    fewer_at = _utc_or_none(row.next_quantity_at)
    has_fewer = row.next_quantity is not None and fewer_at is not None and fewer_at <= now
    span = Span(_utc(row.starts_at), _utc_or_none(row.ends_at), _utc_or_none(row.cancel_at))
    status = InstanceStatus(row.status)
    return Instance(
        id=row.id,
        add_on=add_ons[row.add_on_id],
        quantity=row.next_quantity if has_fewer and row.next_quantity else row.quantity,
        price=prices[row.price_id],
        status=status,
        span=span,
        phase=phase(status, span, now),
        cancel_reason=row.cancel_reason,
        purchase_id=bought.purchase_id,
        billed_until=_utc_or_none(row.billed_until_at),
        anchor_at=_utc_or_none(row.billing_anchor_at),
        billed_quantity=row.quantity,
        next_quantity=row.next_quantity,
        next_quantity_at=fewer_at,
        raise_purchase_id=bought.raise_purchase_id,
        raised=bought.raised,
        usage_prices=tuple(prices[id] for id in row.usage_price_ids),
    )


def over_with_its_plan(instance: Instance) -> Instance:
    """An instance of a subscription that has ended, whatever its row still says: it is neither
    billed nor begun by the next one."""
    if instance.status not in (InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED):
        return instance
    return replace(instance, status=InstanceStatus.ENDED, phase=Phase.ENDED)


def ending(
    subscription: Subscription,
    instances: tuple[Instance, ...],
    cancel_at: datetime | None,
    now: BillingNow,
) -> tuple[Subscription, tuple[Instance, ...]]:
    """The same, not renewed after `cancel_at`: all end together, none before what is paid for.

    Source: product.md §6 (subscription cancelled); ADR 0018.
    """
    if cancel_at is None:
        return subscription, instances
    cancel_at = _utc(cancel_at)
    paid = (i.billed_until for i in instances if i.status is InstanceStatus.ACTIVE)
    ends_at = max([cancel_at, *(until for until in paid if until is not None)])
    ended = replace(subscription, cancel_at=cancel_at, ends_at=ends_at)
    return ended, tuple(_until(each, ends_at, now) for each in instances)


def _until(instance: Instance, ends_at: datetime, now: BillingNow) -> Instance:
    span = replace(instance.span, ends_at=min(instance.span.ends_at or ends_at, ends_at))
    return replace(instance, span=span, phase=phase(instance.status, span, now))


def _utc_or_none(at: datetime | None) -> datetime | None:
    return _utc(at) if at else None


def _utc(at: datetime) -> datetime:
    """The driver answers in the server's zone; periods want UTC itself."""
    return at.astimezone(UTC)
