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
from portal.domain.catalog import AddOn, Price, price_for
from portal.domain.money import Money, currency
from portal.domain.periods import BillingNow, Interval, Period
from portal.domain.proration import charge
from portal.domain.taxes import Tax, tax_on
from portal.domain.working import Working, WorkingKind, of_charge

QUOTE_LIFETIME = timedelta(minutes=15)


class LineKind(StrEnum):
    CHARGE = "charge"
    TAX = "tax"
    CARRIED = "carried"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asks for. auto_renew matters only to a recurring price."""

    add_on: str
    quantity: int
    auto_renew: bool


@dataclass(frozen=True, slots=True)
class Buyer:
    """The account's state that a quote depends on, and nothing else.

    balance: credit money that may be applied. carried: earlier amounts below the minimum charge.
    """

    account_id: int
    subscription_id: int
    plan_key: str
    cycle: Cycle
    currency: str
    tax: Tax
    balance: Money
    carried: Money


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """amount: signed; the balance line is negative. included: a tax line that adds nothing."""

    kind: LineKind
    name: str
    quantity: int
    amount: Money
    working: Working
    period: Period | None = None
    included: bool = False


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

    due = what is owed for this purchase; it is either charged now or, when below the currency's
    minimum charge, carried to the next bill. cancel_at: set when auto-renew is off.
    """

    request: Request
    account_id: int
    plan_key: str
    price: Price
    at: datetime
    expires_at: datetime
    lines: tuple[QuoteLine, ...]
    charged: Money
    carried_out: Money
    capacity: tuple[Capacity, ...]
    ends_at: datetime | None
    cancel_at: datetime | None
    going_forward: GoingForward | None

    @property
    def due(self) -> Money:
        return self.charged + self.carried_out

    def sum_of(self, kind: LineKind) -> Money:
        """The sum of the displayed lines of one kind."""
        amounts = [line.amount for line in self.lines if line.kind is kind]
        return sum(amounts, Money.zero(self.price.currency))

    @property
    def tax_included(self) -> Money:
        amounts = [line.amount for line in self.lines if line.included]
        return sum(amounts, Money.zero(self.price.currency))

    @property
    def digest(self) -> str:
        """Equal for two quotes exactly when they promise the same money, capacity and dates."""
        promised = asdict(self)
        return hashlib.sha256(
            json.dumps(promised, sort_keys=True, default=_plain).encode()
        ).hexdigest()


def quote(buyer: Buyer, add_on: AddOn, request: Request, at: BillingNow) -> Quote:
    """Price `request` at the whole second `at`.

    Raises ValueError when the add-on has no price for this buyer or the quantity is below one;
    ask `eligibility.refusal` first. Source: seed 1, step 3; product.md §4 (quote).
    """
    price = price_for(add_on.prices, buyer.currency, buyer.cycle.interval)
    if price is None or request.quantity < 1:
        raise ValueError("nothing to quote")
    period = buyer.cycle.period_of(price, at)
    lines = _lines(buyer, add_on, price, request, period, at)
    charged, carried_out = _due(lines, buyer.currency)
    renews = price.is_recurring and request.auto_renew
    cancel_at = period.end if period and not renews else None
    capacity = brought_by(add_on, price, request.quantity, buyer.cycle, at, cancel_at)
    return Quote(
        request=request,
        account_id=buyer.account_id,
        plan_key=buyer.plan_key,
        price=price,
        at=at,
        expires_at=_expires_at(buyer.cycle, period, capacity, at),
        lines=lines,
        charged=charged,
        carried_out=carried_out,
        capacity=capacity,
        ends_at=ends_at(price, buyer.cycle, at),
        cancel_at=cancel_at,
        going_forward=_going_forward(buyer, price, request, period) if renews else None,
    )


def _lines(
    buyer: Buyer, add_on: AddOn, price: Price, request: Request, period: Period | None, at: datetime
) -> tuple[QuoteLine, ...]:
    units = Decimal(request.quantity)
    amount = charge(price, units, period, at)
    working = of_charge(price, units, period, at, amount)
    covered = Period(at, period.end) if period and at < period.end else None
    lines = [QuoteLine(LineKind.CHARGE, add_on.name, request.quantity, amount, working, covered)]
    tax = tax_on(buyer.tax, amount)
    if buyer.tax.rate:
        kind = WorkingKind.TAX_INCLUDED if buyer.tax.inclusive else WorkingKind.TAX
        taxed = Working(kind, tax, rate=buyer.tax.rate, of=amount)
        line = QuoteLine(LineKind.TAX, buyer.tax.label, 1, tax, taxed, None, buyer.tax.inclusive)
        lines.append(line)
    owed = amount if buyer.tax.inclusive else amount + tax
    if owed and buyer.carried:
        owed += buyer.carried
        lines.append(_plain_line(LineKind.CARRIED, buyer.carried, WorkingKind.CARRIED))
    applied = buyer.balance.at_most(owed)
    if applied:
        lines.append(_plain_line(LineKind.BALANCE, -applied, WorkingKind.BALANCE))
    return tuple(lines)


def _plain_line(kind: LineKind, amount: Money, working: WorkingKind) -> QuoteLine:
    shown = Money(abs(amount.minor), amount.currency)
    return QuoteLine(kind, "", 1, amount, Working(working, shown))


def _due(lines: tuple[QuoteLine, ...], code: str) -> tuple[Money, Money]:
    """(charged now, carried to the next bill); one of them is zero."""
    due = sum((line.amount for line in lines if not line.included), Money.zero(code))
    zero = Money.zero(code)
    return (zero, due) if due.minor < currency(code).minimum_minor else (due, zero)


def _expires_at(
    cycle: Cycle, period: Period | None, capacity: tuple[Capacity, ...], at: datetime
) -> datetime:
    """15 minutes on, but never past a boundary that would change the figures or the units."""
    ends = [at + QUOTE_LIFETIME, cycle.quota_window(at).end, cycle.billing_period(at).end]
    ends += [brought.until for brought in capacity if brought.until]
    return min([*ends, period.end] if period else ends)


def _going_forward(
    buyer: Buyer, price: Price, request: Request, period: Period | None
) -> GoingForward | None:
    if period is None or price.interval is None:
        return None
    amount = charge(price, Decimal(request.quantity), None, period.end)
    return GoingForward(amount, tax_on(buyer.tax, amount), price.interval, period.end)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
