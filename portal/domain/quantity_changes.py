"""Another quantity of a recurring instance: more is charged now, fewer comes at its boundary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from portal.domain.capacity import Capacity, Cycle, brought_by
from portal.domain.catalog import AddOn, BillingModel, Price, Status
from portal.domain.eligibility import Holding, units_left
from portal.domain.instances import Phase, SubscriptionStatus
from portal.domain.lines import (
    Due,
    LineKind,
    Means,
    QuoteLine,
    completed,
    due_for,
    with_tax,
)
from portal.domain.money import Money
from portal.domain.periods import BillingNow, Period
from portal.domain.pricing import Part, exact_minor, parts
from portal.domain.quotes import GoingForward, digest_of, expiry_of_quote
from portal.domain.recurring import Recurring, Terms
from portal.domain.taxes import tax_on
from portal.domain.working import Working, WorkingKind


class QuantityReason(StrEnum):
    """Why an instance cannot have a quantity.

    NOT_NOW: the subscription may not buy more. RENEWING: something of it is due and not billed,
    or billed and not paid.
    PAYMENT_PENDING: more units of it are not paid for yet.
    """

    NOT_RECURRING = "not_recurring"
    NOT_ACTIVE = "not_active"
    CANCELLING = "cancelling"
    SAME = "same"
    TOO_FEW = "too_few"
    MOST_HELD = "most_held"
    NOT_SOLD = "not_sold"
    NOT_NOW = "not_now"
    RENEWING = "renewing"
    PAYMENT_PENDING = "payment_pending"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class QuantityRequest:
    instance_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class QuantityQuote:
    """capacity: what the added units bring. effective_at: now for more, else the next boundary."""

    request: QuantityRequest
    account_id: int
    price: Price
    quantity_now: int
    at: datetime
    effective_at: datetime
    expires_at: datetime
    lines: tuple[QuoteLine, ...]
    due: Due
    capacity: tuple[Capacity, ...]
    going_forward: GoingForward

    @property
    def digest(self) -> str:
        return digest_of(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """The account's state that a change of quantity depends on; nothing of `item` is overdue."""

    account_id: int
    add_on: AddOn
    item: Recurring
    cycle: Cycle
    means: Means


def quantity_refusal(
    add_on: AddOn,
    item: Recurring,
    phase: Phase,
    holding: Holding,
    status: SubscriptionStatus,
    quantity: int,
) -> QuantityReason | None:
    """Why `item` cannot have `quantity` units; None when it can.

    To ask for the quantity it has is to withdraw fewer that were agreed. More counts towards the
    most that may be held, fewer is always possible. Source: product.md §3 (max_instances), §6.
    """
    if not item.price.is_recurring:
        return QuantityReason.NOT_RECURRING
    if phase is Phase.CANCELLING:
        return QuantityReason.CANCELLING
    if phase is not Phase.ACTIVE:
        return QuantityReason.NOT_ACTIVE
    if quantity < 1:
        return QuantityReason.TOO_FEW
    if quantity == item.next_quantity:
        return QuantityReason.SAME
    if quantity <= item.quantity:
        return None
    return _refused_more(add_on, holding, status, quantity - item.quantity)


def quote_quantity(asked: Asked, request: QuantityRequest, at: BillingNow) -> QuantityQuote:
    """Price `request` at the whole second `at`; ask `quantity_refusal` first.

    Source: product.md §6 (change quantity); billing-conventions.md §3 rule 8.
    """
    item, means = asked.item, asked.means
    added = request.quantity - item.quantity
    period = item.paid_period(at)
    lines: tuple[QuoteLine, ...] = ()
    capacity: tuple[Capacity, ...] = ()
    if added > 0:
        delta = delta_line(item, request.quantity, at)
        lines = completed(with_tax(delta, means.tax), means)
        own = replace(asked.cycle, billing_anchor=item.anchor)
        capacity = brought_by(asked.add_on, item.price, added, own, at, None)
    ends = [brought.until for brought in capacity if brought.until]
    return QuantityQuote(
        request=request,
        account_id=asked.account_id,
        price=item.price,
        quantity_now=item.quantity,
        at=at,
        effective_at=at if added >= 0 else period.end,
        expires_at=expiry_of_quote(at, asked.cycle.quota_window(at).end, period.end, *ends),
        lines=lines,
        due=due_for(lines, means.currency),
        capacity=capacity,
        going_forward=_going_forward(asked, request.quantity, period),
    )


def delta_line(item: Recurring, quantity: int, at: datetime) -> QuoteLine:
    """One line for what `quantity` costs more than the present one, for as long as that is paid.

    For tiers the difference of the two totals; where more units cost less in all, nothing is
    charged and nothing given back. Rounded once.
    """
    old, new = Decimal(item.quantity), Decimal(quantity)
    more = exact_minor(item.price, new) - exact_minor(item.price, old)
    until, whole = item.paid_period(at).end, item.priced_period(at)
    share = whole.fraction_left(at) - whole.fraction_left(until) if more > 0 else Fraction(0)
    amount = Money.rounded(more * share, item.price.currency)
    return QuoteLine(
        kind=LineKind.CHARGE,
        name=item.name,
        quantity=quantity - item.quantity,
        amount=amount,
        working=_working(item.price, old, new, whole, Period(at, until), amount)
        if share
        else _nothing(amount),
        period=Period(at, until),
        instance_id=item.instance_id,
    )


def with_quantity(item: Recurring, accepted: QuantityQuote) -> Recurring:
    """How the instance is billed once the change is accepted; fewer is agreed for later."""
    quantity = accepted.request.quantity
    agreed = tuple(
        replace(terms, quantity=None) for terms in item.agreed if terms.price is not None
    )
    if quantity >= item.quantity:
        return replace(item, quantity=quantity, agreed=agreed)
    return replace(item, agreed=(*agreed, Terms(accepted.effective_at, quantity=quantity)))


def _refused_more(
    add_on: AddOn, holding: Holding, status: SubscriptionStatus, added: int
) -> QuantityReason | None:
    if status is not SubscriptionStatus.ACTIVE:
        return QuantityReason.NOT_NOW
    if add_on.status is not Status.PUBLISHED:
        return QuantityReason.NOT_SOLD
    left = units_left(add_on, holding)
    return QuantityReason.MOST_HELD if left is not None and added > left else None


def _working(
    price: Price, old: Decimal, new: Decimal, whole: Period, charged: Period, amount: Money
) -> Working:
    flat = price.billing_model is BillingModel.FLAT_FEE
    return Working(
        kind=WorkingKind.PRORATED,
        result=amount,
        parts=parts(price, new - old if flat else new),
        left_s=whole.remaining(charged.start) - whole.remaining(charged.end),
        whole_s=whole.length,
        less=() if flat else parts(price, old),
    )


def _nothing(amount: Money) -> Working:
    """The working of units that cost nothing more."""
    return Working(WorkingKind.WHOLE, amount, (Part(amount.major(), Decimal(1)),))


def _going_forward(asked: Asked, quantity: int, period: Period) -> GoingForward:
    price = asked.item.as_agreed(period.end).price
    if price.interval is None:
        raise ValueError("a one-time price has no periods")
    amount = Money.rounded(exact_minor(price, Decimal(quantity)), price.currency)
    tax = tax_on(asked.means.tax, amount)
    return GoingForward(amount, tax, price.interval, period.end)
