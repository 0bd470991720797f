"""Instances: each purchase of an add-on, where the clock has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from portal.domain.capacity import Cycle
from portal.domain.catalog import AddOn, Price
from portal.domain.instances import InstanceStatus, Phase, Span, phase
from portal.domain.periods import BillingNow
from portal.queries.account_rows import BoughtRow


@dataclass(frozen=True, slots=True)
class Instance:
    """One purchase of an add-on, and where the clock has it now.

    purchase_id: how it was paid for; None where nothing was bought. billed_until: the end of what
    it was billed for, None for what is charged once. anchor_at: its own boundary 0, where it is
    not the plan's. next_quantity: fewer units, agreed for its boundary next_quantity_at.
    quantity: by the clock; billed_quantity: until a bill says that boundary has come.
    raise_purchase_id: of more units that are not paid for yet; raised: how many.
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

    @property
    def renews(self) -> bool:
        """True while it will be charged again and again: recurring, and not cancelled."""
        goes_on = self.phase in (Phase.ACTIVE, Phase.SCHEDULED)
        return self.price.is_recurring and goes_on and self.span.cancel_at is None

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


def instance_of(
    bought: BoughtRow, add_ons: dict[int, AddOn], prices: dict[int, Price], now: BillingNow
) -> Instance:
    row = bought.row
    fewer_at = utc_or_none(row.next_quantity_at)
    has_fewer = row.next_quantity is not None and fewer_at is not None and fewer_at <= now
    span = Span(utc(row.starts_at), utc_or_none(row.ends_at), utc_or_none(row.cancel_at))
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
        billed_until=utc_or_none(row.billed_until_at),
        anchor_at=utc_or_none(row.billing_anchor_at),
        billed_quantity=row.quantity,
        next_quantity=row.next_quantity,
        next_quantity_at=fewer_at,
        raise_purchase_id=bought.raise_purchase_id,
        raised=bought.raised,
    )


def utc_or_none(at: datetime | None) -> datetime | None:
    return utc(at) if at else None


def utc(at: datetime) -> datetime:
    """The driver answers in the server's zone; periods want UTC itself."""
    return at.astimezone(UTC)
