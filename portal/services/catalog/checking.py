"""A whole catalog file: the catalog it says, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from portal.domain.catalog import (
    AddOn,
    AddOnType,
    Catalog,
    CreditGrant,
    Entitlement,
    EntityType,
    Feature,
    FeatureType,
    FeatureUse,
    Plan,
    Price,
    PriceType,
    Status,
)
from portal.services.catalog.contents import (
    CREDIT_GRANT_FIELDS,
    ENTITLEMENT_FIELDS,
    read_credit_grant,
    read_entitlement,
)
from portal.services.catalog.fields import MOST_COUNT, Fields
from portal.services.catalog.prices import PRICE_FIELDS, read_price
from portal.services.catalog.problems import Problem, Problems
from portal.services.catalog.reading import read
from portal.services.catalog.use import uncharged, use_problems

T = TypeVar("T")

_TOP = ("features", "plans", "add_ons")
_FEATURE = ("lookup_key", "name", "type", "use", "unit_singular", "unit_plural")
_CONTENTS = ("prices", "entitlements", "credit_grants")
_PLAN = ("lookup_key", "name", "description", "status", "sort", "metadata", *_CONTENTS)
_ADD_ON = (*(*_PLAN, "type", "benefit", "category", "icon", "max_instances", "allowed_plans"),)


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A sound file. lines: where each "feature x", "plan x" and "add-on x" begins."""

    catalog: Catalog
    lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class BadFile:
    problems: tuple[Problem, ...]


def read_catalog(content: bytes) -> CatalogFile | BadFile:
    """Read a catalog file; BadFile lists every problem in it, by line."""
    problems = Problems()
    root = read(content, problems)
    if root is None:
        return BadFile(problems.in_order())
    found = _Reading().catalog(Fields(root, problems, _TOP))
    return BadFile(problems.in_order()) if problems else found


@dataclass(slots=True)
class _Reading:
    """What one file has said so far: every key with its line, and the features."""

    lines: dict[str, int] = field(default_factory=dict)
    features: dict[str, Feature | None] = field(default_factory=dict)
    plan_keys: set[str] = field(default_factory=set)
    charging: dict[str, AddOn] = field(default_factory=dict)

    def catalog(self, root: Fields) -> CatalogFile:
        for name in _TOP:
            if not root.has(name):
                root.blame(name, f"{name} is missing: give a list, [] for none")
        features = tuple(self._feature(f) for f in root.entries("features", _FEATURE))
        plans = tuple(self._plan(f) for f in root.entries("plans", _PLAN))
        add_ons = tuple(self._add_on(f) for f in root.entries("add_ons", _ADD_ON))
        return CatalogFile(Catalog(features, plans, add_ons), self.lines)

    def _claim(self, what: str, fields: Fields) -> str:
        """The entry's lookup_key, reported when another `what` has it already."""
        key = fields.key()
        if not fields.fine("lookup_key"):
            return key
        subject = f"{what} {key}"
        line = fields.line_of("lookup_key")
        if subject in self.lines:
            first = self.lines[subject]
            fields.blame("lookup_key", f"lookup_key {key} is taken by the {what} on line {first}")
        else:
            self.lines[subject] = line
        return key

    def _feature(self, fields: Fields) -> Feature:
        key = self._claim("feature", fields)
        kind = fields.choice("type", FeatureType)
        feature = Feature(
            lookup_key=key,
            name=fields.text("name"),
            type=kind,
            use=fields.choice("use", FeatureUse) if fields.has("use") else None,
            unit_singular=fields.text("unit_singular", most=40, default=""),
            unit_plural=fields.text("unit_plural", most=40, default=""),
        )
        if fields.fine("type"):
            _use_fits(fields, kind)
        if fields.has("unit_singular") is not fields.has("unit_plural"):
            fields.blame("unit_singular", "unit_singular and unit_plural go together")
        self.features.setdefault(key, feature if fields.fine("type", "use") else None)
        return feature

    def _plan(self, fields: Fields) -> Plan:
        key = self._claim("plan", fields)
        self.plan_keys.add(key)
        plan = Plan(
            lookup_key=key,
            name=fields.text("name"),
            status=fields.choice("status", Status, Status.PUBLISHED),
            description=fields.prose("description"),
            sort=fields.integer("sort", -MOST_COUNT, MOST_COUNT, default=0),
            metadata=fields.pairs("metadata"),
            prices=self._prices(fields, EntityType.PLAN),
            entitlements=self._entitlements(fields),
            credit_grants=self._credit_grants(fields),
        )
        self._use_is_charged(fields, f"plan {key}", plan)
        return plan

    def _use_is_charged(self, fields: Fields, what: str, sold: Plan | AddOn) -> None:
        """Where a USAGE price would charge nobody, or leave open how much it charges."""
        for price in sold.prices:
            if price.feature is not None and price.type is PriceType.USAGE:
                line = self.lines.get(f"price {price.lookup_key}", fields.line)
                for problem in use_problems(what, sold, price, price.feature):
                    fields.report(line, problem)
                if isinstance(sold, AddOn) and sold.status is Status.PUBLISHED:
                    self._one_add_on_charges(fields, line, sold, price.feature)

    def _one_add_on_charges(
        self, fields: Fields, line: int, add_on: AddOn, feature: Feature
    ) -> None:
        key, other = feature.lookup_key, self.charging.setdefault(feature.lookup_key, add_on)
        if other.lookup_key != add_on.lookup_key:
            fields.report(line, f"add-on {other.lookup_key} charges for use of {key} already")

    def _add_on(self, fields: Fields) -> AddOn:
        limited = fields.has("max_instances")
        add_on = AddOn(
            lookup_key=self._claim("add-on", fields),
            name=fields.text("name"),
            type=fields.choice("type", AddOnType),
            status=fields.choice("status", Status, Status.PUBLISHED),
            benefit=fields.text("benefit"),
            description=fields.prose("description"),
            category=fields.text("category", default=""),
            icon=fields.text("icon", most=40, default="package"),
            sort=fields.integer("sort", -MOST_COUNT, MOST_COUNT, default=0),
            max_instances=fields.integer("max_instances", 1, MOST_COUNT) if limited else None,
            allowed_plans=self._allowed_plans(fields),
            metadata=fields.pairs("metadata"),
            prices=self._prices(fields, EntityType.ADDON),
            entitlements=self._entitlements(fields),
            credit_grants=self._credit_grants(fields),
        )
        held_once = add_on.type is AddOnType.ONETIME and fields.fine("type", "max_instances")
        if held_once and (add_on.max_instances or 1) > 1:
            fields.blame(
                "max_instances",
                f"a onetime add-on is held once: max_instances cannot be {add_on.max_instances}",
            )
        if fields.fine("type"):
            self._use_is_charged(fields, f"add-on {add_on.lookup_key}", add_on)
            for price, problem in uncharged(add_on):
                fields.report(self.lines.get(f"price {price.lookup_key}", fields.line), problem)
        return add_on

    def _allowed_plans(self, fields: Fields) -> tuple[str, ...]:
        words = fields.words("allowed_plans")
        for key, line in words:
            if key not in self.plan_keys:
                fields.report(line, f"unknown plan {key!r}: it is not in the list of plans")
        if fields.has("allowed_plans") and fields.fine("allowed_plans") and not words:
            fields.blame("allowed_plans", "allowed_plans is empty: leave it out for every plan")
        return tuple(dict.fromkeys(key for key, _ in words))

    def _prices(self, fields: Fields, entity: EntityType) -> tuple[Price, ...]:
        entries = fields.entries("prices", PRICE_FIELDS)
        prices = []
        for entry in entries:
            prices.append(read_price(entry, entity, self.features))
            self._claim("price", entry)
        _no_two_at_once(entries, prices)
        return tuple(prices)

    def _entitlements(self, fields: Fields) -> tuple[Entitlement, ...]:
        entries = fields.entries("entitlements", ENTITLEMENT_FIELDS)
        found = [read_entitlement(entry, self.features) for entry in entries]
        _no_repeat(entries, "feature", found, lambda e: e.feature.lookup_key)
        return tuple(found)

    def _credit_grants(self, fields: Fields) -> tuple[CreditGrant, ...]:
        entries = fields.entries("credit_grants", CREDIT_GRANT_FIELDS)
        found = [read_credit_grant(entry, self.features) for entry in entries]
        _no_repeat(entries, "name", found, lambda grant: grant.name)
        return tuple(found)


def _use_fits(fields: Fields, kind: FeatureType) -> None:
    if kind is FeatureType.METERED and not fields.has("use"):
        fields.blame("use", "use is missing: a metered feature is consumed or held")
    elif kind is not FeatureType.METERED and fields.has("use"):
        fields.blame("use", f"a {kind} feature has no use: only a metered one is consumed or held")


def _no_repeat(
    entries: list[Fields], name: str, found: list[T], key_of: Callable[[T], str]
) -> None:
    """Report each entry whose `name` an earlier entry of the same list has."""
    first: dict[str, int] = {}
    for entry, item in zip(entries, found, strict=True):
        key = key_of(item)
        if not entry.fine(name):
            continue
        if key in first:
            entry.blame(name, f"{name} {key!r} stands here already, on line {first[key]}")
        first.setdefault(key, entry.line_of(name))


def _no_two_at_once(entries: list[Fields], prices: list[Price]) -> None:
    """One price a currency and interval, of use one a feature; all once, or all every period.

    More would leave open which one is paid (`catalog.price_for`).
    """
    first: dict[tuple[object, ...], int] = {}
    cadence: dict[bool, int] = {}
    for entry, price in zip(entries, prices, strict=True):
        if not entry.fine("currency", "billing_cadence", "billing_period", "type"):
            continue
        interval = price.interval
        span = (interval.months, interval.days) if interval else ()
        feature = price.feature.lookup_key if price.feature else None
        slot = (price.currency, price.type, feature, span)
        cadence.setdefault(price.is_recurring, entry.line)
        if slot in first:
            entry.report(
                entry.line,
                f"a second {price.type} price in {price.currency.upper()} for the same period;"
                f" the first is on line {first[slot]}",
            )
        elif len(cadence) == 2:
            entry.report(
                entry.line,
                "prices of one add-on are all ONETIME or all RECURRING;"
                f" line {cadence[not price.is_recurring]} has the other",
            )
        first.setdefault(slot, entry.line)
