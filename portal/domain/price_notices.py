"""What members are told of prices to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.catalog import Price
from portal.domain.money import Money
from portal.domain.periods import Interval


@dataclass(frozen=True, slots=True)
class PriceChanging:
    """Prices for one interval of `quantity` units, tax included. instance_id: None for the plan.

    reminder: it was said before.
    """

    kind: ClassVar[str] = "price_changing"
    change_id: int
    instance_id: int | None
    name: str
    quantity: int
    before: Money
    after: Money
    interval: Interval
    changes_at: datetime
    reminder: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.change_id}:{'again' if self.reminder else 'first'}"


@dataclass(frozen=True, slots=True)
class PriceStays:
    """A change that was announced for changes_at and is called off. price: as in PriceChanging."""

    kind: ClassVar[str] = "price_stays"
    change_id: int
    name: str
    quantity: int
    price: Money
    interval: Interval
    changes_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.change_id}"


@dataclass(frozen=True, slots=True)
class UsePriceChanging:
    """Prices for use beyond the allowance of the plan, or the add-on instance_id, called `name`.

    reminder: it was said before.
    """

    kind: ClassVar[str] = "price_for_use_changing"
    change_id: int
    instance_id: int | None
    name: str
    before: Price
    after: Price
    changes_at: datetime
    reminder: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.change_id}:{'again' if self.reminder else 'first'}"


@dataclass(frozen=True, slots=True)
class UsePriceStays:
    """A change that was announced for changes_at and is called off."""

    kind: ClassVar[str] = "price_for_use_stays"
    change_id: int
    name: str
    price: Price
    changes_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.change_id}"


PRICE_KINDS = (PriceChanging, PriceStays, UsePriceChanging, UsePriceStays)
PriceNotice = PriceChanging | PriceStays | UsePriceChanging | UsePriceStays
