"""What is sold: features, plans, add-ons, prices, entitlements and credit grants.

Field names are those of the add-on data model (seed 2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from portal.domain.periods import BillingPeriod, Interval


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class AddOnType(StrEnum):
    """How many live instances of an add-on one subscription may hold."""

    ONETIME = "onetime"
    MULTIPLE_INSTANCE = "multiple_instance"


class EntityType(StrEnum):
    PLAN = "PLAN"
    ADDON = "ADDON"


class FeatureType(StrEnum):
    METERED = "metered"
    BOOLEAN = "boolean"
    STATIC = "static"


class FeatureUse(StrEnum):
    """Whether a metered feature is used up (messages) or occupied (members, storage)."""

    CONSUMED = "consumed"
    HELD = "held"


class PriceType(StrEnum):
    FIXED = "FIXED"
    USAGE = "USAGE"


class BillingModel(StrEnum):
    FLAT_FEE = "FLAT_FEE"
    PACKAGE = "PACKAGE"
    TIERED = "TIERED"


class TierMode(StrEnum):
    VOLUME = "VOLUME"
    SLAB = "SLAB"


class BillingCadence(StrEnum):
    """Charged every period, or once."""

    RECURRING = "RECURRING"
    ONETIME = "ONETIME"


class InvoiceCadence(StrEnum):
    ADVANCE = "ADVANCE"
    ARREAR = "ARREAR"


class CapacityEnds(StrEnum):
    """When what a one-time price bought ends."""

    WINDOW = "window"
    CYCLE = "cycle"
    NEVER = "never"
    DURATION = "duration"


class ExpirationType(StrEnum):
    NEVER = "NEVER"
    BILLING_CYCLE = "BILLING_CYCLE"
    DURATION = "DURATION"


@dataclass(frozen=True, slots=True)
class Feature:
    lookup_key: str
    name: str
    type: FeatureType
    use: FeatureUse | None = None
    unit_singular: str = ""
    unit_plural: str = ""
    id: int = 0

    @property
    def is_consumed(self) -> bool:
        return self.use is FeatureUse.CONSUMED


@dataclass(frozen=True, slots=True)
class Tier:
    """up_to: inclusive upper bound in units, None for the last tier. Amounts in major units."""

    up_to: int | None
    unit_amount: Decimal
    flat_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TransformQuantity:
    """How PACKAGE counts blocks: quantity / divide_by, rounded `round` ("up" or "down")."""

    divide_by: int
    round: str = "up"


@dataclass(frozen=True, slots=True)
class Price:
    """amount: major units per unit (FLAT_FEE) or per block (PACKAGE); tiers carry their own.

    id: 0 until stored. capacity_duration is set exactly when capacity_ends is DURATION. feature:
    of a USAGE price, what is charged for when more of it is used than the allowance covers.
    """

    lookup_key: str
    entity_type: EntityType
    amount: Decimal
    currency: str
    billing_cadence: BillingCadence
    interval: Interval | None = None
    type: PriceType = PriceType.FIXED
    billing_model: BillingModel = BillingModel.FLAT_FEE
    tier_mode: TierMode | None = None
    tiers: tuple[Tier, ...] = ()
    transform_quantity: TransformQuantity | None = None
    invoice_cadence: InvoiceCadence = InvoiceCadence.ADVANCE
    capacity_ends: CapacityEnds | None = None
    capacity_duration: timedelta | None = None
    trial_period_days: int = 0
    feature: Feature | None = None
    id: int = 0

    @property
    def is_recurring(self) -> bool:
        return self.billing_cadence is BillingCadence.RECURRING


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a plan or add-on grants of one feature. usage_limit: None = unlimited, 0 = none."""

    feature: Feature
    usage_limit: int | None = None
    is_enabled: bool = True
    static_value: str = ""
    usage_reset_period: BillingPeriod | None = None
    is_soft_limit: bool = False
    id: int = 0


@dataclass(frozen=True, slots=True)
class CreditGrant:
    """credits: units of `feature`, up to 8 decimals. priority: low burns first.

    period: how often a RECURRING grant comes; None = with every period of the price.
    """

    name: str
    feature: Feature
    credits: Decimal
    cadence: BillingCadence
    expiration_type: ExpirationType
    duration: timedelta | None = None
    period: BillingPeriod | None = None
    priority: int = 50
    id: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    lookup_key: str
    name: str
    status: Status
    prices: tuple[Price, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    credit_grants: tuple[CreditGrant, ...] = ()
    description: str = ""
    sort: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True)
class AddOn:
    """benefit: one plain sentence. max_instances counts units, not rows; None = any number.

    allowed_plans: lookup keys, empty = every plan.
    """

    lookup_key: str
    name: str
    type: AddOnType
    status: Status
    benefit: str
    prices: tuple[Price, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    credit_grants: tuple[CreditGrant, ...] = ()
    description: str = ""
    category: str = ""
    icon: str = "package"
    sort: int = 0
    max_instances: int | None = None
    allowed_plans: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    id: int = 0

    @property
    def most_units(self) -> int | None:
        """How many units one subscription may hold; None = any number."""
        return 1 if self.type is AddOnType.ONETIME else self.max_instances


@dataclass(frozen=True, slots=True)
class Catalog:
    """One environment's whole catalog, as the file says it or as the tables hold it."""

    features: tuple[Feature, ...] = ()
    plans: tuple[Plan, ...] = ()
    add_ons: tuple[AddOn, ...] = ()


def price_for(prices: tuple[Price, ...], currency: str, plan: Interval) -> Price | None:
    """The price a subscription on `plan`'s interval pays, if any fits.

    Among the currency's fixed prices: a one-time price, else the recurring one with the plan's
    own interval, else the longest that divides it.
    Source: product.md §4 (anchors); seed 2, "Match Billing Periods".
    """
    fixed = (price for price in prices if price.type is PriceType.FIXED)
    return max(_fitting(fixed, currency, plan), key=_length, default=None)


def usage_prices_for(what: Plan | AddOn, sold: Price) -> tuple[Price, ...]:
    """What `what`, sold at the price `sold`, charges for use: at most one USAGE price a feature.

    Of several the one that `price_for` would take of fixed ones. Source: product.md §4a.
    """
    found: dict[str, Price] = {}
    usage = (price for price in what.prices if price.type is PriceType.USAGE)
    if sold.interval is None:
        return ()
    for price in sorted(_fitting(usage, sold.currency, sold.interval), key=_length):
        if price.feature is not None:
            found[price.feature.lookup_key] = price
    return tuple(found.values())


def _fitting(prices: Iterable[Price], currency: str, plan: Interval) -> list[Price]:
    return [
        price
        for price in prices
        if price.currency == currency and (price.interval is None or price.interval.divides(plan))
    ]


def _length(price: Price) -> tuple[bool, int, int]:
    interval = price.interval
    return (interval is None, interval.months if interval else 0, interval.days if interval else 0)
