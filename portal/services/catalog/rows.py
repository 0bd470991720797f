"""Catalog records as column values of their tables: the inverse of `portal.queries.catalog`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from portal.domain.catalog import AddOn, CreditGrant, Entitlement, Feature, Plan, Price

Values = dict[str, Any]


def feature_values(feature: Feature) -> Values:
    return {
        "lookup_key": feature.lookup_key,
        "name": feature.name,
        "type": feature.type,
        "use": feature.use,
        "unit_singular": feature.unit_singular,
        "unit_plural": feature.unit_plural,
    }


def plan_values(plan: Plan) -> Values:
    return {
        "lookup_key": plan.lookup_key,
        "name": plan.name,
        "description": plan.description,
        "status": plan.status,
        "sort": plan.sort,
        "metadata_": plan.metadata,
    }


def add_on_values(add_on: AddOn) -> Values:
    return {
        "lookup_key": add_on.lookup_key,
        "name": add_on.name,
        "description": add_on.description,
        "type": add_on.type,
        "status": add_on.status,
        "benefit": add_on.benefit,
        "category": add_on.category,
        "icon": add_on.icon,
        "sort": add_on.sort,
        "max_instances": add_on.max_instances,
        "allowed_plans": list(add_on.allowed_plans),
        "metadata_": add_on.metadata,
    }


def price_values(price: Price, feature_id: int | None) -> Values:
    """Amounts of tiers become strings, so that JSON keeps them exact."""
    interval, transform = price.interval, price.transform_quantity
    tiers = [
        {
            "up_to": tier.up_to,
            "unit_amount": str(tier.unit_amount),
            "flat_amount": str(tier.flat_amount),
        }
        for tier in price.tiers
    ]
    return {
        "lookup_key": price.lookup_key,
        "amount": price.amount,
        "currency": price.currency,
        "type": price.type,
        "feature_id": feature_id,
        "billing_model": price.billing_model,
        "tier_mode": price.tier_mode,
        "tiers": tiers,
        "transform_quantity": asdict(transform) if transform else None,
        "billing_cadence": price.billing_cadence,
        "billing_period": interval.period if interval else None,
        "billing_period_count": interval.count if interval else 1,
        "invoice_cadence": price.invoice_cadence,
        "capacity_ends": price.capacity_ends,
        "capacity_duration": price.capacity_duration,
        "trial_period_days": price.trial_period_days,
    }


def entitlement_values(entitlement: Entitlement, feature_id: int) -> Values:
    return {
        "feature_id": feature_id,
        "usage_limit": entitlement.usage_limit,
        "is_enabled": entitlement.is_enabled,
        "static_value": entitlement.static_value,
        "usage_reset_period": entitlement.usage_reset_period,
        "is_soft_limit": entitlement.is_soft_limit,
    }


def credit_grant_values(grant: CreditGrant, feature_id: int) -> Values:
    return {
        "feature_id": feature_id,
        "name": grant.name,
        "credits": grant.credits,
        "cadence": grant.cadence,
        "expiration_type": grant.expiration_type,
        "period": grant.period,
        "duration": grant.duration,
        "priority": grant.priority,
    }
