"""What an account may use of a feature: the plan's grant and every add-on's, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.domain.catalog import Entitlement, Feature


class SourceKind(StrEnum):
    PLAN = "plan"
    ADD_ON = "add_on"


@dataclass(frozen=True, slots=True)
class Source:
    """One holder of an entitlement, effective in [starts_at, ends_at); ends_at None = open."""

    kind: SourceKind
    name: str
    entitlement: Entitlement
    quantity: int
    starts_at: datetime
    ends_at: datetime | None = None

    def is_effective(self, at: datetime) -> bool:
        return (
            self.entitlement.is_enabled
            and self.quantity > 0
            and self.starts_at <= at
            and (self.ends_at is None or at < self.ends_at)
        )

    @property
    def limit(self) -> int | None:
        """Units this source brings; None = unlimited."""
        each = self.entitlement.usage_limit
        return None if each is None else each * self.quantity


@dataclass(frozen=True, slots=True)
class Resolved:
    """A feature as the account holds it at one instant.

    limit: None = unlimited, 0 = none (held features only; consumed capacity is lots).
    """

    feature: Feature
    sources: tuple[Source, ...]
    is_enabled: bool
    limit: int | None
    values: tuple[str, ...]
    is_soft_limit: bool


def resolve(feature: Feature, sources: Iterable[Source], at: datetime) -> Resolved:
    """Combine the sources of `feature` that are effective at `at`.

    Limits add up and any unlimited source wins; boolean = OR; static = the set of values, in
    source order; soft if any source is soft.
    Source: product.md §3 (entitlement); 10 GB + 2 x 100 GB = 210 GB from seed 2.
    """
    effective = tuple(s for s in sources if s.entitlement.feature == feature and s.is_effective(at))
    limits = [source.limit for source in effective]
    values = dict.fromkeys(s.entitlement.static_value for s in effective)
    values.pop("", None)
    return Resolved(
        feature=feature,
        sources=effective,
        is_enabled=bool(effective),
        limit=None if None in limits else sum(limit for limit in limits if limit is not None),
        values=tuple(values),
        is_soft_limit=any(s.entitlement.is_soft_limit for s in effective),
    )
