"""Warnings about a sound catalog: what is allowed and yet serves customers badly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from portal.domain.catalog import (
    AddOn,
    AddOnType,
    Catalog,
    FeatureType,
    Plan,
    Price,
    PriceType,
    Status,
    TierMode,
)
from portal.domain.periods import Interval
from portal.domain.pricing import exact_minor
from portal.services.catalog.changes import Entity, subject

Finding = tuple[str, str]
"""Subject as in CatalogFile.lines, and what to think about."""

_EMPTY_WORDS = frozenset(
    (
        *("add-on", "add-ons", "addon", "addons", "a", "an", "the", "and", "bonus", "boost"),
        *("bundle", "capacity", "deluxe", "expansion", "extra", "feature", "features", "option"),
        *("pack", "package", "plus", "premium", "pro", "service", "services", "space", "special"),
        *("standard", "stuff", "super", "unit", "units", "upgrade"),
    )
)
_NUMBER = re.compile(r"\d[\d,.]*")


def lint(catalog: Catalog) -> tuple[Finding, ...]:
    """Every warning, in the order of the catalog. Source: seed 2, "Best Practices"."""
    entities: tuple[Entity, ...] = (*catalog.plans, *catalog.add_ons)
    return tuple(
        (subject(entity), message)
        for entity in entities
        if entity.status is not Status.ARCHIVED
        for message in _about(entity, catalog.plans)
    )


def _about(entity: Entity, plans: tuple[Plan, ...]) -> Iterator[str]:
    if isinstance(entity, AddOn):
        yield from _name(entity)
        yield from _type(entity)
        if entity.status is Status.PUBLISHED and entity.prices:
            yield from _missing_prices(entity, plans)
    if entity.status is Status.PUBLISHED and not entity.prices:
        yield "is published without a price, so nobody can buy it"
    for price in entity.prices:
        yield from _falling(price)


def _missing_prices(add_on: AddOn, plans: Iterable[Plan]) -> Iterator[str]:
    """Match billing periods: each period and currency that a plan has, the add-on has too."""
    fixed = [price for price in add_on.prices if price.type is PriceType.FIXED]
    told: set[tuple[str, str]] = set()
    for plan, currency, interval in _sold_as(add_on, plans):
        mine = [price for price in fixed if price.currency == currency]
        if not mine:
            lack = (currency, "")
        elif any(price.interval in (None, interval) for price in mine):
            continue
        else:
            lack = (currency, period_text(interval))
        if lack not in told:
            told.add(lack)
            what = " ".join((lack[1], currency.upper())).strip()
            yield f"has no {what} price, but plan {plan.lookup_key} is sold so"


def _sold_as(add_on: AddOn, plans: Iterable[Plan]) -> Iterator[tuple[Plan, str, Interval]]:
    for plan in plans:
        if plan.status is not Status.PUBLISHED:
            continue
        if add_on.allowed_plans and plan.lookup_key not in add_on.allowed_plans:
            continue
        for price in plan.prices:
            if price.interval and price.type is PriceType.FIXED:
                yield plan, price.currency, price.interval


def _name(add_on: AddOn) -> Iterator[str]:
    """The name says what it provides: "5 User Pack", not "User Add-on"."""
    words = [word for word in re.split(r"[\s()]+", add_on.name.lower()) if word]
    quantities = _quantities(add_on)
    numbers = {_number(found) for found in _NUMBER.findall(add_on.name)}
    if all(word in _EMPTY_WORDS for word in words):
        yield f"the name {add_on.name!r} does not say what it provides"
    elif quantities and not numbers:
        example = f"{min(quantities):,f}"
        yield f"the name {add_on.name!r} hides how much it provides: say {example}"
    elif quantities and numbers.isdisjoint(quantities):
        given = " and ".join(f"{quantity:,f}" for quantity in sorted(quantities))
        yield f"the name {add_on.name!r} has another number than what it provides, {given}"


def _quantities(add_on: AddOn) -> set[Decimal]:
    """How much of metered features one unit brings; none where units only come along."""
    if _unlocks(add_on):
        return set()
    limits = {
        Decimal(entitlement.usage_limit)
        for entitlement in add_on.entitlements
        if entitlement.is_enabled and entitlement.usage_limit
    }
    return limits | {grant.credits.normalize() for grant in add_on.credit_grants}


def _unlocks(add_on: AddOn) -> int:
    """How many boolean and static features it grants."""
    kinds = [entitlement.feature.type for entitlement in add_on.entitlements]
    return sum(kind is not FeatureType.METERED for kind in kinds)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "").rstrip(".") if text.count(".") < 2 else "0")


def _type(add_on: AddOn) -> Iterator[str]:
    """Type selection: onetime for features and services, multiple_instance for capacity."""
    if add_on.type is AddOnType.ONETIME and _quantities(add_on):
        yield "sells capacity, which is bought more than once: multiple_instance fits"
    only_unlocks = _unlocks(add_on) == len(add_on.entitlements) and not add_on.credit_grants
    if add_on.type is AddOnType.MULTIPLE_INSTANCE and add_on.entitlements and only_unlocks:
        yield "only unlocks features, and a second one would bring nothing: onetime fits"


def _falling(price: Price) -> Iterator[str]:
    """VOLUME tiers where one unit more costs less in total."""
    if price.tier_mode is not TierMode.VOLUME:
        return
    for tier in price.tiers:
        if tier.up_to is None:
            continue
        units = Decimal(tier.up_to)
        if exact_minor(price, units + 1) < exact_minor(price, units):
            yield (
                f"price {price.lookup_key}: {tier.up_to + 1:,} units cost less than {tier.up_to:,}"
            )


def period_text(interval: Interval) -> str:
    """ "MONTHLY", "2 x MONTHLY"."""
    return interval.period if interval.count == 1 else f"{interval.count} x {interval.period}"
