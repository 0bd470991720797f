"""Short ways to write down instants, periods, money, prices, add-ons and buyers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from portal.domain.capacity import Cycle
from portal.domain.catalog import (
    AddOn,
    AddOnType,
    BillingCadence,
    BillingModel,
    CapacityEnds,
    EntityType,
    Feature,
    FeatureType,
    FeatureUse,
    InvoiceCadence,
    Price,
    PriceType,
    Status,
    Tier,
    TierMode,
    TransformQuantity,
)
from portal.domain.money import Money
from portal.domain.periods import Anchor, BillingNow, BillingPeriod, Interval, Period
from portal.domain.quotes import Buyer, Quote, Request, quote
from portal.domain.taxes import NO_TAX, Tax

MONTHLY = Interval(BillingPeriod.MONTHLY)
QUARTERLY = Interval(BillingPeriod.QUARTERLY)
ANNUAL = Interval(BillingPeriod.ANNUAL)
DAILY = Interval(BillingPeriod.DAILY)
WEEKLY = Interval(BillingPeriod.WEEKLY)

MESSAGES = Feature(
    "messages", "Messages", FeatureType.METERED, FeatureUse.CONSUMED, "message", "messages"
)
STORAGE = Feature("storage_gb", "Storage", FeatureType.METERED, FeatureUse.HELD, "GB", "GB")
MEMBERS = Feature("members", "Members", FeatureType.METERED, FeatureUse.HELD, "member", "members")
SALESFORCE = Feature("salesforce", "Salesforce connector", FeatureType.BOOLEAN)
REGIONS = Feature("regions", "Regions", FeatureType.STATIC)


def instant(text: str) -> datetime:
    """`text` in ISO 8601; UTC when it names no zone."""
    given = datetime.fromisoformat(text)
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)


def now(text: str) -> BillingNow:
    return BillingNow(instant(text))


def span(start: str, end: str) -> Period:
    return Period(instant(start), instant(end))


APRIL = span("2026-04-01", "2026-05-01")
"""Period A of the worked figures: 30 days."""


def money(amount: str, code: str = "usd") -> Money:
    return Money.from_major(Decimal(amount), code)


def recurring(
    amount: str, interval: Interval = MONTHLY, currency: str = "usd", **more: Any
) -> Price:
    """A flat price per unit, every `interval`."""
    return Price(
        f"price_{amount}_{currency}",
        EntityType.ADDON,
        Decimal(amount),
        currency,
        BillingCadence.RECURRING,
        interval,
        **more,
    )


def for_use(amount: str, id: int = 0) -> Price:
    """So much for each message beyond the allowance."""
    return recurring(
        amount,
        id=id,
        type=PriceType.USAGE,
        invoice_cadence=InvoiceCadence.ARREAR,
        feature=MESSAGES,
    )


def once(
    amount: str, ends: CapacityEnds = CapacityEnds.WINDOW, currency: str = "usd", **more: Any
) -> Price:
    """A flat one-time price per unit."""
    return Price(
        f"once_{amount}_{currency}",
        EntityType.ADDON,
        Decimal(amount),
        currency,
        BillingCadence.ONETIME,
        capacity_ends=ends,
        **more,
    )


def package(amount: str, divide_by: int, rounding: str = "up") -> Price:
    transform = TransformQuantity(divide_by, rounding)
    return recurring(amount, billing_model=BillingModel.PACKAGE, transform_quantity=transform)


def tiered(mode: TierMode, *tiers: tuple[int | None, str] | tuple[int | None, str, str]) -> Price:
    """Each tier: inclusive upper bound, unit amount, optional flat amount."""
    rows = tuple(Tier(row[0], *(Decimal(amount) for amount in row[1:])) for row in tiers)
    return recurring("0", billing_model=BillingModel.TIERED, tier_mode=mode, tiers=rows)


def add_on(*prices: Price, **more: Any) -> AddOn:
    facts: dict[str, Any] = {
        "lookup_key": "add_on",
        "name": "Add-on",
        "type": AddOnType.MULTIPLE_INSTANCE,
        "status": Status.PUBLISHED,
        "benefit": "Does something useful.",
    }
    return AddOn(prices=prices, **(facts | more))


def cycle(anchor: str = "2026-04-01", interval: Interval = MONTHLY, quota: str = "") -> Cycle:
    return Cycle(interval, Anchor(instant(anchor)), Anchor(instant(quota or anchor)))


def buyer(currency: str = "usd", tax: Tax = NO_TAX, **more: Any) -> Buyer:
    """A buyer on a monthly plan since 1 April 2026, owing and owning nothing."""
    zero = Money.zero(currency)
    plain = Buyer(1, 1, "growth", cycle(), currency, tax, zero, zero)
    return replace(plain, **more)


def quoted(
    sold: AddOn, at: str, quantity: int = 1, auto_renew: bool = True, by: Buyer | None = None
) -> Quote:
    request = Request(sold.lookup_key, quantity, auto_renew)
    return quote(by or buyer(), sold, request, now(at))
