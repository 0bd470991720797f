"""What it takes to get from one catalog to another: one change for each row that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TypeVar

from portal.domain.catalog import (
    AddOn,
    Catalog,
    CreditGrant,
    Entitlement,
    EntityType,
    Feature,
    FeatureType,
    Plan,
    Price,
)

Entity = Plan | AddOn
"""What has prices, entitlements and credit grants."""
Record = Feature | Plan | AddOn | Price | Entitlement | CreditGrant
R = TypeVar("R", Feature, Plan, AddOn, Price, Entitlement, CreditGrant)


class Mark(StrEnum):
    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


@dataclass(frozen=True, slots=True)
class Owner:
    """The plan or add-on that a price, entitlement or credit grant belongs to.

    id: 0 when the change before it adds the owner.
    """

    entity_type: EntityType
    lookup_key: str
    id: int

    def __str__(self) -> str:
        return f"{'plan' if self.entity_type is EntityType.PLAN else 'add-on'} {self.lookup_key}"


@dataclass(frozen=True, slots=True)
class Change:
    """before: as stored, with its id; after: as the file says. Never both None."""

    before: Record | None
    after: Record | None
    owner: Owner | None = None

    @property
    def record(self) -> Record:
        found = self.after or self.before
        if found is None:
            raise ValueError("a change has a before or an after")
        return found

    @property
    def mark(self) -> Mark:
        if self.before is None:
            return Mark.ADDED
        return Mark.REMOVED if self.after is None else Mark.CHANGED

    @property
    def subject(self) -> str:
        """What changes: "add-on salesforce", "price x of plan growth"."""
        here = subject(self.record)
        return f"{here} of {self.owner}" if self.owner else here

    def differences(self) -> Iterator[tuple[str, object, object]]:
        """Name, value before and value after of each field that differs."""
        if self.before is None or self.after is None:
            return
        before, after = _bare(self.before), _bare(self.after)
        for field in fields(before):
            was, will = getattr(before, field.name), getattr(after, field.name)
            if was != will:
                yield field.name, was, will


def subject(record: Record) -> str:
    match record:
        case Feature():
            return f"feature {record.lookup_key}"
        case Plan():
            return f"plan {record.lookup_key}"
        case AddOn():
            return f"add-on {record.lookup_key}"
        case Price():
            return f"price {record.lookup_key}"
        case Entitlement():
            return f"entitlement {record.feature.lookup_key}"
        case CreditGrant():
            return f"credit grant {record.name!r}"


def compare(stored: Catalog, wanted: Catalog) -> tuple[Change, ...]:
    """The changes that turn `stored` into `wanted`, in the order of the file, removals last.

    The order of entries in the file means nothing. A removed plan or add-on takes what
    belongs to it along: no change of its own for each part.
    """
    return (
        *(Change(b, a) for b, a in _pairs(stored.features, wanted.features, _key) if _differ(b, a)),
        *_entities(stored.plans, wanted.plans, EntityType.PLAN),
        *_entities(stored.add_ons, wanted.add_ons, EntityType.ADDON),
    )


def _entities(
    stored: Iterable[Plan] | Iterable[AddOn],
    wanted: Iterable[Plan] | Iterable[AddOn],
    kind: EntityType,
) -> Iterator[Change]:
    have: dict[str, Entity] = {entity.lookup_key: entity for entity in stored}
    want: dict[str, Entity] = {entity.lookup_key: entity for entity in wanted}
    for key, after in want.items():
        before = have.get(key)
        if before is None or _differ(before, after):
            yield Change(before, after)
        yield from _parts(before, after, Owner(kind, key, before.id if before else 0))
    yield from (Change(before, None) for key, before in have.items() if key not in want)


def _parts(before: Entity | None, after: Entity, owner: Owner) -> Iterator[Change]:
    pairs: list[tuple[Record | None, Record | None]] = [
        *_pairs(before.prices if before else (), after.prices, _key),
        *_pairs(before.entitlements if before else (), after.entitlements, _feature_key),
        *_pairs(before.credit_grants if before else (), after.credit_grants, _name),
    ]
    yield from (Change(was, will, owner) for was, will in pairs if _differ(was, will))


def _pairs(
    stored: Iterable[R], wanted: Iterable[R], key_of: Callable[[R], str]
) -> Iterator[tuple[R | None, R | None]]:
    have = {key_of(record): record for record in stored}
    for record in wanted:
        yield have.pop(key_of(record), None), record
    yield from ((record, None) for record in have.values())


def _differ(before: Record | None, after: Record | None) -> bool:
    if before is None or after is None:
        return True
    return _bare(before) != _bare(after)


def _bare(record: Record) -> Record:
    """The record's own fields only: without ids and without what belongs to it."""
    match record:
        case Plan() | AddOn():
            return replace(record, id=0, prices=(), entitlements=(), credit_grants=())
        case Entitlement() | CreditGrant() | Price(feature=Feature()):
            key = record.feature.lookup_key if record.feature else ""
            return replace(record, id=0, feature=Feature(key, "", FeatureType.BOOLEAN))
        case _:
            return replace(record, id=0)


def _key(record: Feature | Price) -> str:
    return record.lookup_key


def _feature_key(entitlement: Entitlement) -> str:
    return entitlement.feature.lookup_key


def _name(grant: CreditGrant) -> str:
    return grant.name
