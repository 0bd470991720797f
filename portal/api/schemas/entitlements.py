"""What an account may use, as the host is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from portal.api.schemas.fields import Instant, Page, Told, Units
from portal.domain.catalog import FeatureType, FeatureUse
from portal.domain.quotas import WhyNot


class UnitsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    units: str = Field(
        "1",
        pattern=r"^[0-9]{1,10}(\.[0-9]{1,8})?$",
        description="How many are wanted, as a decimal.",
    )


class ToldHelp(Told):
    """An add-on that can be bought now. units: what one brings; null = unlimited, or unlocked."""

    add_on: str
    name: str
    price: str
    units: Units | None
    buy_url: str


class ToldEntitlement(Told):
    """allowed: whether so many more may be used now. reason: null, or why not.

    limit, remaining: null = unlimited, or not counted. used: in the quota window that ends at
    resets_at, or the level of a held feature. excess: how many of them no allowance covers, under
    a soft limit. values: of a static feature. help: what would change the answer.
    now: by the account's own clock, which a test clock may have moved.
    """

    feature: str
    name: str
    type: FeatureType
    use: FeatureUse | None
    allowed: bool
    reason: WhyNot | None
    limit: Units | None
    used: Units
    remaining: Units | None
    resets_at: Instant | None
    excess: Units
    values: list[str]
    help: ToldHelp | None
    now: Instant


class EntitlementPage(Page[ToldEntitlement]):
    """Every feature of the catalog, those that the account does not have too."""
