"""A quote as the host asks for it, with every figure of the confirm page."""

from __future__ import annotations

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from portal.api.schemas.fields import (
    AccountKey,
    Amount,
    Given,
    Instant,
    LookupKey,
    Span,
    Told,
    Units,
)
from portal.domain.lines import LineKind
from portal.domain.periods import BillingPeriod
from portal.domain.quotes import Start

PACK: JsonDict = {"account": "northwind", "add_on": "messages_100k", "quantity": 2}


class GivenQuote(Given):
    """One add-on for one account."""

    model_config = ConfigDict(json_schema_extra={"examples": [PACK]})

    account: AccountKey
    add_on: LookupKey
    quantity: int = Field(1, ge=1, le=100)
    auto_renew: bool = Field(True, description="Matters to recurring prices only.")
    start: Start = Field(Start.NOW, description="At the next cycle only where that can be.")


class ToldLine(Told):
    """amount: negative where it gives back. included: a tax that is inside another line.

    working: how the amount came about, in English.
    """

    kind: LineKind
    name: str
    quantity: int
    amount: Amount
    period: Span | None
    included: bool
    working: str


class ToldCapacity(Told):
    """units: null = unlimited, or nothing to count. until: null = no end yet.

    then_units: what each later window brings.
    """

    feature: str
    units: Units | None
    until: Instant | None
    then_units: Units | None


class ToldGoingForward(Told):
    """What each later period costs, and when the first of them is due."""

    amount: Amount
    tax: Amount
    every: BillingPeriod
    every_count: int
    next_at: Instant


class ToldQuote(Told):
    """due is charged now, or carried to the next bill when it is too small to be charged alone.

    starts_at: of what is bought. ends_at: null while it renews, or never ends. pay_url: the
    confirm page, filled in. The price holds until expires_at, as long as nothing changes.
    """

    account: str
    add_on: str
    name: str
    quantity: int
    auto_renew: bool
    start: Start
    price: str
    use_prices: list[str] = Field(
        description="Lookup keys of what it charges for use beyond the allowance, afterwards."
    )
    lines: list[ToldLine]
    due: Amount
    charged: Amount
    carried: Amount
    tax: Amount
    capacity: list[ToldCapacity]
    going_forward: ToldGoingForward | None
    starts_at: Instant
    ends_at: Instant | None
    quoted_at: Instant
    expires_at: Instant
    pay_url: str
