"""Short ways to write down what is billed, stored lines, plans and subscribed accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from portal.domain.bills import Bill, BillingState
from portal.domain.capacity import Cycle
from portal.domain.catalog import AddOn, Entitlement, Plan, Price, Status
from portal.domain.credits import StoredLine
from portal.domain.lines import Means, QuoteLine
from portal.domain.money import Money
from portal.domain.periods import Anchor, Interval, Period
from portal.domain.plan_changes import PlanQuote, PlanRequest, Subscribed, quote_plan_change
from portal.domain.plan_moves import Held
from portal.domain.recurring import Recurring
from portal.domain.taxes import NO_TAX, Tax
from tests.unit.samples import ANNUAL, APRIL, MONTHLY, add_on, instant, money, now, recurring


def means(
    balance: str = "0", carried: str = "0", tax: Tax = NO_TAX, currency: str = "usd"
) -> Means:
    return Means(currency, tax, money(balance, currency), money(carried, currency))


def item(
    price: Price,
    until: str = "2026-05-01",
    anchor: str = "2026-04-01",
    zone: str = "UTC",
    **more: Any,
) -> Recurring:
    """Billed until `until`, in periods counted from `anchor`."""
    facts: dict[str, Any] = {"name": "Growth"}
    return Recurring(
        price=price,
        anchor=Anchor(instant(anchor), zone),
        billed_until=instant(until),
        **(facts | more),
    )


def extra(price: Price, instance_id: int = 1, until: str = "2026-05-01", **more: Any) -> Recurring:
    """An instance of an add-on."""
    facts: dict[str, Any] = {"name": "Storage", "instance_id": instance_id}
    return item(price, until, **(facts | more))


def state(plan: Recurring, *instances: Recurring, **more: Any) -> BillingState:
    facts: dict[str, Any] = {"means": means(currency=plan.price.currency)}
    return BillingState(plan=plan, instances=instances, **(facts | more))


def shown(made: Bill | PlanQuote | tuple[QuoteLine, ...]) -> list[tuple[str, str, str]]:
    """Kind, name and amount of every line."""
    lines = made if isinstance(made, tuple) else made.lines
    return [(line.kind.value, line.name, str(line.amount.major())) for line in lines]


def stored(
    billed: str | Money,
    period: Period = APRIL,
    tax: Tax = NO_TAX,
    credited: str = "0",
    refunded: str = "0",
    **more: Any,
) -> StoredLine:
    amount = money(billed) if isinstance(billed, str) else billed
    code = amount.currency
    facts: dict[str, Any] = {"id": 1, "name": "Growth", "quantity": 1}
    return StoredLine(
        billed=amount,
        period=period,
        tax=tax,
        credited=money(credited, code),
        refunded=money(refunded, code),
        **(facts | more),
    )


def plan(key: str, monthly: str, annual: str = "", sort: int = 0, **more: Any) -> Plan:
    prices = [recurring(monthly)] + ([recurring(annual, ANNUAL)] if annual else [])
    name = key.capitalize()
    return Plan(key, name, Status.PUBLISHED, prices=tuple(prices), sort=sort, **more)


STARTER = plan("starter", "20", "192", sort=10)
GROWTH = plan("growth", "50", "480", sort=20)
BUSINESS = plan("business", "100", "960", sort=30)


def subscribed(
    to: Plan = GROWTH,
    *held: tuple[Held, Recurring],
    interval: Interval = MONTHLY,
    until: str = "2026-05-01",
    **more: Any,
) -> Subscribed:
    """On `to` since 1 April 2026, billed until `until`; nothing stored unless given."""
    price = next(p for p in to.prices if p.interval == interval)
    anchor = Anchor(instant("2026-04-01"))
    billing = state(item(price, until, name=to.name), *(each for _, each in held))
    if "means" in more:
        billing = replace(billing, means=more.pop("means"))
    facts: dict[str, Any] = {"held": tuple(one for one, _ in held)}
    return Subscribed(1, to, Cycle(interval, anchor, anchor), billing, **(facts | more))


def holds(
    price: Price,
    *others: Price,
    instance_id: int = 1,
    stored: tuple[StoredLine, ...] = (),
    **more: Any,
) -> tuple[Held, Recurring]:
    """An instance at `price` of an add-on that is sold at `others` too."""
    granted: tuple[Entitlement, ...] = more.pop("entitlements", ())
    plans: tuple[str, ...] = more.pop("allowed_plans", ())
    starts: datetime = instant(more.pop("starts", "2026-04-01"))
    sold: AddOn = add_on(price, *others, entitlements=granted, allowed_plans=plans)
    return Held(instance_id, sold, starts, stored), extra(price, instance_id, **more)


def asks(by: Subscribed, to: Plan, at: str, interval: Interval = MONTHLY) -> PlanQuote:
    return quote_plan_change(by, to, PlanRequest(to.lookup_key, interval), now(at))
