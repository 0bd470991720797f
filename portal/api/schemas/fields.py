"""Shapes of fields that several models share: amounts, instants, keys, pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from portal.domain.money import CURRENCIES, Money

CURRENCY = f"^({'|'.join(sorted(CURRENCIES))})$"
ACCOUNT_KEY = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}$"
LOOKUP_KEY = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Given(BaseModel):
    """Something the host sends: unknown fields and near misses are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """Something the host is told; every field is always there."""

    model_config = ConfigDict(frozen=True)


def _rfc3339(value: Any) -> Any:
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("must be an instant like 2026-11-01T00:00:00Z")
    return value


def said_instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def said_number(value: Decimal) -> str:
    """A decimal without an exponent and without idle zeros."""
    return f"{value.normalize():f}" if value else "0"


GivenInstant = Annotated[AwareDatetime, BeforeValidator(_rfc3339), Field(strict=False)]
Instant = Annotated[
    datetime,
    PlainSerializer(said_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Units = Annotated[
    Decimal,
    PlainSerializer(said_number, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$", "examples": ["30000"]}),
]
GivenAmount = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
        description="Major units as text, in the currency of the account.",
        examples=["49.00"],
    ),
]
CurrencyCode = Annotated[str, Field(pattern=CURRENCY, examples=["usd"])]
AccountKey = Annotated[
    str, Field(pattern=ACCOUNT_KEY, description="The host's own id of the account.")
]
LookupKey = Annotated[str, Field(pattern=LOOKUP_KEY, examples=["messages_100k"])]


class Amount(Told):
    """Money in major units, with the decimals of its currency."""

    amount: str = Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["48.60"])
    currency: CurrencyCode

    @classmethod
    def of(cls, money: Money) -> Amount:
        return cls(amount=f"{money.major():f}", currency=money.currency)


class Span(Told):
    """From `start` until just before `end`."""

    start: Instant
    end: Instant


Item = TypeVar("Item", bound=BaseModel)


class Page(Told, Generic[Item]):
    """One page of a list. next_cursor: for the next one; null on the last."""

    data: list[Item]
    next_cursor: str | None
