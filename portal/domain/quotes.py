"""The preview that a customer sees and then accepts, unchanged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from portal.domain.capacity import Capacity, Cycle, brought_by, ends_at
from portal.domain.catalog import AddOn, CapacityEnds, Price, price_for, usage_prices_for
from portal.domain.lines import (
    LineKind,
    Means,
    QuoteLine,
    charge_line,
    completed,
    due_for,
    sum_of,
    with_tax,
)
from portal.domain.money import Money, total
from portal.domain.periods import BillingNow, Interval
from portal.domain.proration import charge
from portal.domain.taxes import Tax, tax_on

QUOTE_LIFETIME = timedelta(minutes=15)
MOST_AT_ONCE = 100
"""Units of an add-on in one purchase."""


class Start(StrEnum):
    """When what is bought begins."""

    NOW = "now"
    NEXT_CYCLE = "next_cycle"


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asks for. auto_renew matters only to a recurring price.

    proposal_id: what support proposed, where they follow that.
    """

    add_on: str
    quantity: int
    auto_renew: bool
    start: Start = Start.NOW
    proposal_id: int | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """The account's state that a quote depends on, and nothing else.

    balance: credit money that may be applied. carried: earlier amounts below the minimum charge.
    ends_at: when the plan, which is cancelled, ends with its add-ons.
    """

    account_id: int
    subscription_id: int
    plan_key: str
    cycle: Cycle
    currency: str
    tax: Tax
    balance: Money
    carried: Money
    ends_at: datetime | None = None

    @property
    def means(self) -> Means:
        return Means(self.currency, self.tax, self.balance, self.carried)


@dataclass(frozen=True, slots=True)
class GoingForward:
    """The price of each later period before tax, the tax on it, and when it is first due."""

    amount: Money
    tax: Money
    interval: Interval
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """Everything a confirm page says about money and dates.

    starts_at: `at`, or the boundary at which it begins. due = what is owed for this purchase; it
    is either charged now or, when below the currency's minimum charge, carried to the next bill.
    cancel_at: set when auto-renew is off. plan_ends_at: when it ends with the plan, unless that is
    kept. usage_prices: what it charges for use beyond the allowance, in arrear.
    """

    request: Request
    account_id: int
    plan_key: str
    price: Price
    at: datetime
    starts_at: datetime
    expires_at: datetime
    lines: tuple[QuoteLine, ...]
    charged: Money
    carried_out: Money
    capacity: tuple[Capacity, ...]
    ends_at: datetime | None
    cancel_at: datetime | None
    going_forward: GoingForward | None
    plan_ends_at: datetime | None = None
    usage_prices: tuple[Price, ...] = ()

    @property
    def due(self) -> Money:
        return self.charged + self.carried_out

    def sum_of(self, kind: LineKind) -> Money:
        """The sum of the displayed lines of one kind."""
        return sum_of(self.lines, kind, self.price.currency)

    @property
    def waits(self) -> bool:
        """True when it begins later than it is bought."""
        return self.starts_at > self.at

    @property
    def billed_until(self) -> datetime | None:
        """Up to when it is paid for once accepted; None for what is charged once."""
        if not self.price.is_recurring:
            return None
        return next((line.period.end for line in self.lines if line.period), self.starts_at)

    @property
    def over_at(self) -> datetime | None:
        """When the period that is paid for, or what is bought, ends; None for never."""
        ends = [line.period.end for line in self.lines if line.period]
        ends += [end for end in (self.works_until,) if end]
        return min(ends, default=None)

    @property
    def works_until(self) -> datetime | None:
        """When what is bought ends; None for never, and for what goes on until it is stopped."""
        return _earlier(self.ends_at, self.cancel_at, self.plan_ends_at)

    @property
    def tax_included(self) -> Money:
        return total([line.amount for line in self.lines if line.included], self.price.currency)

    @property
    def digest(self) -> str:
        return digest_of(self)


def digest_of(promise: Any) -> str:
    """Equal for two quotes exactly when they promise the same money, capacity and dates.

    promise: a dataclass that holds all of them.
    """
    said = json.dumps(asdict(promise), sort_keys=True, default=_plain)
    return hashlib.sha256(said.encode()).hexdigest()


def expiry_of_quote(at: datetime, *boundaries: datetime) -> datetime:
    """15 minutes on, but never past a boundary that would change the figures or the units."""
    return min(at + QUOTE_LIFETIME, *boundaries)


def can_wait(price: Price) -> bool:
    """Whether it may begin at the next cycle: what never ends gains nothing by that."""
    return price.is_recurring or price.capacity_ends is not CapacityEnds.NEVER


def quote(buyer: Buyer, add_on: AddOn, request: Request, at: BillingNow) -> Quote:
    """Price `request` at the whole second `at`.

    What begins at the next cycle is charged now where it is charged once, else by its first bill;
    what cannot wait begins now. Raises ValueError without a price, or for a quantity below one.
    Source: seed 1, step 3; product.md §4 (quote), §6 (start at next cycle).
    """
    price = _price(buyer, add_on, request)
    waits = request.start is Start.NEXT_CYCLE and can_wait(price)
    starts_at = next_cycle(buyer.cycle, price, at) if waits else at
    period = buyer.cycle.period_of(price, starts_at)
    lines = () if waits and period else _lines(buyer, add_on.name, price, request.quantity, at)
    due = due_for(lines, buyer.currency)
    cancel_at = period.end if period and not request.auto_renew else None
    stop = _earlier(cancel_at, buyer.ends_at)
    capacity = brought_by(add_on, price, request.quantity, buyer.cycle, starts_at, stop)
    goes_on = period is not None and (waits or cancel_at is None)
    return Quote(
        request=request,
        account_id=buyer.account_id,
        plan_key=buyer.plan_key,
        price=price,
        at=at,
        starts_at=starts_at,
        expires_at=_expires_at(buyer.cycle, price, capacity, at),
        lines=lines,
        charged=due.charged,
        carried_out=due.carried_out,
        capacity=capacity,
        ends_at=ends_at(price, buyer.cycle, starts_at),
        cancel_at=cancel_at,
        going_forward=_going_forward(buyer, price, request, at) if goes_on else None,
        plan_ends_at=buyer.ends_at,
        usage_prices=usage_prices_for(add_on, price),
    )


def _price(buyer: Buyer, add_on: AddOn, request: Request) -> Price:
    price = price_for(add_on.prices, buyer.currency, buyer.cycle.interval)
    if price is None or request.quantity < 1:
        raise ValueError("nothing to quote")
    return price


def _earlier(*ends: datetime | None) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)


def _lines(
    buyer: Buyer, name: str, price: Price, quantity: int, at: datetime
) -> tuple[QuoteLine, ...]:
    period = buyer.cycle.period_of(price, at)
    bought = charge_line(name, price, quantity, period, at)
    return completed(with_tax(bought, buyer.tax), buyer.means)


def next_cycle(cycle: Cycle, price: Price, at: datetime) -> datetime:
    """When something bought at `at` begins if it waits: its own next period, or for what is
    charged once the next quota window."""
    return (cycle.period_of(price, at) or cycle.quota_window(at)).end


def _expires_at(
    cycle: Cycle, price: Price, capacity: tuple[Capacity, ...], at: datetime
) -> datetime:
    ends = [cycle.quota_window(at).end, cycle.billing_period(at).end, next_cycle(cycle, price, at)]
    ends += [brought.until for brought in capacity if brought.until]
    return expiry_of_quote(at, *ends)


def _going_forward(
    buyer: Buyer, price: Price, request: Request, at: datetime
) -> GoingForward | None:
    """A whole period, from the next boundary on."""
    if price.interval is None:
        return None
    next_at = next_cycle(buyer.cycle, price, at)
    if buyer.ends_at is not None and buyer.ends_at <= next_at:
        return None
    amount = charge(price, Decimal(request.quantity), None, next_at)
    return GoingForward(amount, tax_on(buyer.tax, amount), price.interval, next_at)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
