"""Add-ons of the catalog, and those that an account holds."""

from __future__ import annotations

from pydantic import Field

from portal.api.schemas.fields import Amount, CurrencyCode, Instant, Page, Told, Units
from portal.domain.catalog import (
    AddOnType,
    BillingCadence,
    BillingModel,
    CapacityEnds,
    FeatureType,
    PriceType,
)
from portal.domain.instances import Phase
from portal.domain.periods import BillingPeriod


class ToldPrice(Told):
    """unit_amount: major units, of one unit or block; tiers have their own. every: null = once.

    type: USAGE is for what is used of `feature` beyond the allowance, billed afterwards.
    """

    lookup_key: str
    unit_amount: str = Field(pattern=r"^[0-9]+(\.[0-9]+)?$", examples=["49.00"])
    currency: CurrencyCode
    type: PriceType
    feature: str | None
    cadence: BillingCadence
    model: BillingModel
    every: BillingPeriod | None
    every_count: int | None
    capacity_ends: CapacityEnds | None


class ToldGrant(Told):
    """What one unit brings of a feature. units: null = unlimited, or nothing to count."""

    feature: str
    name: str
    type: FeatureType
    units: Units | None
    resets: BillingPeriod | None
    value: str


class ToldAddOn(Told):
    """most_units: how many one account may hold; null = any number."""

    lookup_key: str
    name: str
    type: AddOnType
    benefit: str
    description: str
    category: str
    most_units: int | None
    allowed_plans: list[str] = Field(description="Lookup keys; empty = every plan.")
    prices: list[ToldPrice]
    brings: list[ToldGrant]


class ToldInstance(Told):
    """One purchase of an add-on. next_charge: at renews_at, before tax; null = none."""

    id: int
    add_on: str
    name: str
    quantity: int
    price: str
    use_prices: list[str] = Field(description="Lookup keys of what it charges for use.")
    phase: Phase
    starts_at: Instant
    ends_at: Instant | None
    auto_renew: bool
    renews_at: Instant | None
    next_charge: Amount | None


class AddOnPage(Page[ToldAddOn]):
    """Add-ons that are sold, in the order of the catalog."""


class InstancePage(Page[ToldInstance]):
    """What an account holds, or held, oldest first."""
