"""An account as the host sends it and as it is told of it."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from portal.api.schemas.fields import (
    AccountKey,
    Amount,
    CurrencyCode,
    Given,
    GivenAmount,
    GivenInstant,
    Instant,
    LookupKey,
    Span,
    Told,
    Units,
)
from portal.domain.instances import SubscriptionStatus
from portal.domain.legal import CustomerType, LegalProfile
from portal.domain.mails import ADDRESS
from portal.domain.text import SAYS_SOMETHING

Name = Annotated[str, Field(max_length=255, pattern=SAYS_SOMETHING)]
Email = Annotated[str, Field(max_length=320, pattern=ADDRESS, examples=["owner@example.com"])]

NORTHWIND: JsonDict = {
    "name": "Northwind Traders",
    "currency": "usd",
    "time_zone": "America/New_York",
    "tax": {"rate": "8.875", "inclusive": False, "label": "Sales tax"},
    "owner": {"email": "owner@northwind.example", "name": "Nancy Davolio"},
    "subscription": {"plan": "growth", "price": "growth_monthly_usd"},
}


ZONES = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""Names of the IANA time zone database; a machine has others, such as `localtime`."""


def _zone(name: str) -> str:
    if name not in ZONES:
        raise ValueError("must be a name of the IANA time zone database")
    return name


Zone = Annotated[str, AfterValidator(_zone), Field(max_length=40, examples=["Europe/Berlin"])]


Country = Annotated[
    str,
    Field(pattern="^[A-Z]{2}$", description="Two letters of ISO 3166-1.", examples=["DE"]),
]


class GivenTax(Given):
    """rate: percent. inclusive: contained in prices instead of on top of them."""

    rate: str = Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,4})?$", examples=["19"])
    inclusive: bool = False
    label: str = Field("Tax", max_length=40, pattern=SAYS_SOMETHING, examples=["VAT"])


class GivenOwner(Given):
    email: Email
    name: Name
    locale: str = Field(
        "",
        max_length=20,
        pattern="^([a-z]{2,3}(-[A-Z]{2})?)?$",
        description="The language of their mails and pages, where there are words in it; empty:"
        " mails in English, pages as their browser asks, until they choose.",
        examples=["de"],
    )


class BilledElsewhere(Given):
    """A period that was paid for before the account came here."""

    started_at: GivenInstant = Field(
        description="When the plan began: every period is counted from here. Not in the future."
    )
    amount: GivenAmount = Field(
        description="What was paid for the present period, like the price: without a tax that"
        " comes on top. A change of plan credits the unused part of it."
    )


class GivenSubscription(Given):
    """The plan that the account begins with."""

    plan: LookupKey
    price: LookupKey = Field(description="One of the plan's, recurring, in the currency.")
    billed_elsewhere: BilledElsewhere | None = None


class GivenAccount(Given):
    """All that the host says of an account."""

    model_config = ConfigDict(json_schema_extra={"examples": [NORTHWIND]})

    name: Name
    currency: CurrencyCode = Field(description="Cannot be changed once the account exists.")
    time_zone: Zone = Field("UTC", description="A change moves future boundaries only.")
    tax: GivenTax | None = Field(None, description="None: no tax.")
    country: Country | None = Field(
        None, description="Where the account lives; with `customer_type` it chooses the words."
    )
    customer_type: CustomerType = Field(
        CustomerType.BUSINESS,
        strict=False,
        description="Consumers are shown what the law of their country asks for.",
    )
    owner: GivenOwner | None = Field(
        None, description="The first owner; needed to create, and cannot be exchanged here."
    )
    subscription: GivenSubscription | None = Field(
        None, description="Begins the plan where there is none. Members change it themselves."
    )


class ToldTax(Told):
    rate: Units
    inclusive: bool
    label: str


class ToldSubscription(Told):
    """current_period: of the plan. renews_at: when it is billed next."""

    plan: str
    plan_name: str
    price: str
    status: SubscriptionStatus
    current_period: Span
    renews_at: Instant


class ToldAccount(Told):
    """now: by the account's own clock, which a test clock may have moved."""

    key: AccountKey
    name: str
    currency: CurrencyCode
    time_zone: str
    tax: ToldTax | None
    country: Country | None
    customer_type: CustomerType
    legal_profile: LegalProfile = Field(description="Whose words the paying pages use.")
    balance: Amount = Field(description="Money that the next charge uses first.")
    subscription: ToldSubscription | None
    now: Instant
