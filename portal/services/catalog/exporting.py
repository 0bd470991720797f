"""A catalog as YAML text that reads back as the same catalog."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import yaml

from portal.domain.catalog import (
    AddOn,
    BillingModel,
    CapacityEnds,
    Catalog,
    CreditGrant,
    Entitlement,
    Feature,
    FeatureType,
    InvoiceCadence,
    Plan,
    Price,
    PriceType,
    Status,
    Tier,
)
from portal.domain.money import currency

Value = object
Entry = dict[str, Value]


class Quoted(str):
    """Text that keeps its quotes, as amounts need."""


class Line(dict[str, Value]):
    """A mapping that is written on one line."""


def export_catalog(catalog: Catalog) -> str:
    """The file that says `catalog`; fields that say what is understood anyway are left out."""
    root: Entry = {
        "features": [_feature(feature) for feature in catalog.features],
        "plans": [_plan(plan) for plan in catalog.plans],
        "add_ons": [_add_on(add_on) for add_on in catalog.add_ons],
    }
    return yaml.serialize(_node(root), Dumper=yaml.SafeDumper, allow_unicode=True, width=100_000)


def _feature(feature: Feature) -> Entry:
    return _said(
        Line(
            lookup_key=feature.lookup_key,
            name=feature.name,
            type=feature.type,
            use=feature.use,
            unit_singular=feature.unit_singular,
            unit_plural=feature.unit_plural,
        )
    )


def _plan(plan: Plan) -> Entry:
    return _said(
        {
            "lookup_key": plan.lookup_key,
            "name": plan.name,
            "description": plan.description,
            "status": plan.status if plan.status is not Status.PUBLISHED else None,
            "sort": plan.sort or None,
            "metadata": dict(sorted(plan.metadata.items())),
            **_contents(plan),
        }
    )


def _add_on(add_on: AddOn) -> Entry:
    return _said(
        {
            "lookup_key": add_on.lookup_key,
            "name": add_on.name,
            "type": add_on.type,
            "status": add_on.status if add_on.status is not Status.PUBLISHED else None,
            "benefit": add_on.benefit,
            "description": add_on.description,
            "category": add_on.category,
            "icon": add_on.icon if add_on.icon != "package" else None,
            "sort": add_on.sort or None,
            "max_instances": add_on.max_instances,
            "allowed_plans": list(add_on.allowed_plans),
            "metadata": dict(sorted(add_on.metadata.items())),
            **_contents(add_on),
        }
    )


def _contents(entity: Plan | AddOn) -> Entry:
    return {
        "prices": [_price(price) for price in entity.prices],
        "entitlements": [_entitlement(entitlement) for entitlement in entity.entitlements],
        "credit_grants": [_credit_grant(grant) for grant in entity.credit_grants],
    }


def _price(price: Price) -> Entry:
    transform, interval = price.transform_quantity, price.interval
    usual = InvoiceCadence.ARREAR if price.type is PriceType.USAGE else InvoiceCadence.ADVANCE
    tiered = price.billing_model is BillingModel.TIERED
    flat = price.billing_model is BillingModel.FLAT_FEE
    return _said(
        Line(
            lookup_key=price.lookup_key,
            amount=None if tiered else _amount(price.amount, price.currency),
            currency=price.currency,
            type=price.type if price.type is not PriceType.FIXED else None,
            feature=price.feature and price.feature.lookup_key,
            billing_model=None if flat else price.billing_model,
            tier_mode=price.tier_mode,
            tiers=[_tier(tier, price.currency) for tier in price.tiers],
            transform_quantity=transform
            and Line(divide_by=transform.divide_by, round=transform.round),
            billing_cadence=price.billing_cadence,
            billing_period=interval and interval.period,
            billing_period_count=interval.count if interval and interval.count > 1 else None,
            invoice_cadence=None if price.invoice_cadence is usual else price.invoice_cadence,
            capacity_ends=_capacity_ends(price),
            trial_period_days=price.trial_period_days or None,
        )
    )


def _capacity_ends(price: Price) -> str | None:
    if price.capacity_ends is CapacityEnds.DURATION:
        return _days(price.capacity_duration)
    return price.capacity_ends


def _tier(tier: Tier, code: str) -> Entry:
    return _said(
        Line(
            up_to=tier.up_to,
            unit_amount=_amount(tier.unit_amount, code),
            flat_amount=_amount(tier.flat_amount, code) if tier.flat_amount else None,
        )
    )


def _entitlement(entitlement: Entitlement) -> Entry:
    entry = _said(
        Line(
            feature=entitlement.feature.lookup_key,
            static_value=entitlement.static_value,
            usage_reset_period=entitlement.usage_reset_period,
            is_enabled=None if entitlement.is_enabled else False,
            is_soft_limit=entitlement.is_soft_limit or None,
        )
    )
    if entitlement.feature.type is FeatureType.METERED:
        entry["usage_limit"] = entitlement.usage_limit
    return entry


def _credit_grant(grant: CreditGrant) -> Entry:
    return _said(
        Line(
            name=grant.name,
            feature=grant.feature.lookup_key,
            credits=Quoted(_plain(grant.credits)),
            cadence=grant.cadence,
            expiration_type=grant.expiration_type,
            duration=_days(grant.duration),
            period=grant.period,
            priority=grant.priority if grant.priority != 50 else None,
        )
    )


def _said(entry: Entry) -> Entry:
    """The entry without what it leaves unsaid: None, empty text, empty list or mapping."""
    kept = {name: value for name, value in entry.items() if value not in (None, "", [], {})}
    return Line(kept) if isinstance(entry, Line) else kept


def _days(duration: timedelta | None) -> str | None:
    if duration is None:
        return None
    return f"{duration.days} day{'' if duration.days == 1 else 's'}"


def _amount(amount: Decimal, code: str) -> Quoted:
    """At least the currency's decimal places: "49.00", "0.0004", "4900" for JPY."""
    places = currency(code).exponent
    whole, _, fraction = _plain(amount).partition(".")
    fraction = fraction.ljust(places, "0")
    return Quoted(f"{whole}.{fraction}" if fraction else whole)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _node(value: Value) -> yaml.Node:
    match value:
        case dict():
            pairs = [(_node(key), _node(inner)) for key, inner in value.items()]
            return yaml.MappingNode(_tag("map"), pairs, flow_style=isinstance(value, Line))
        case list():
            return _list(value)
        case None:
            return yaml.ScalarNode(_tag("null"), "null")
        case bool():
            return yaml.ScalarNode(_tag("bool"), "true" if value else "false")
        case int():
            return yaml.ScalarNode(_tag("int"), str(value))
        case _:
            style = '"' if isinstance(value, Quoted) else None
            return yaml.ScalarNode(_tag("str"), str(value), style=style)


def _list(values: Iterable[Value]) -> yaml.Node:
    nodes = [_node(value) for value in values]
    of_words = all(isinstance(node, yaml.ScalarNode) for node in nodes)
    return yaml.SequenceNode(_tag("seq"), nodes, flow_style=of_words)


def _tag(kind: str) -> str:
    return f"tag:yaml.org,2002:{kind}"
