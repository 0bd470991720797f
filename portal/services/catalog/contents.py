"""What a plan or add-on of the file grants: entitlements and credit grants."""

from __future__ import annotations

from collections.abc import Mapping as Known
from decimal import Decimal

from portal.domain.catalog import (
    BillingCadence,
    CreditGrant,
    Entitlement,
    ExpirationType,
    Feature,
    FeatureType,
)
from portal.domain.periods import BillingPeriod
from portal.services.catalog.fields import MOST_COUNT, MOST_UNITS, Fields

ENTITLEMENT_FIELDS = (
    *("feature", "usage_limit", "is_enabled", "static_value", "usage_reset_period"),
    "is_soft_limit",
)
CREDIT_GRANT_FIELDS = (
    *("name", "feature", "credits", "cadence", "expiration_type", "duration", "period", "priority"),
)
MOST_CREDITS = Decimal(10) ** 11
CREDIT_DECIMALS = 8
NO_FEATURE = Feature("", "", FeatureType.BOOLEAN)
Features = Known[str, Feature | None]
"""Every feature that the file names; None where its own entry is wrong."""


def read_entitlement(fields: Fields, features: Features) -> Entitlement:
    feature = read_feature(fields, features)
    limit = None
    if fields.has("usage_limit") and not fields.is_null("usage_limit"):
        limit = fields.integer("usage_limit", 0, MOST_UNITS)
    period = None
    if fields.has("usage_reset_period"):
        period = fields.choice("usage_reset_period", BillingPeriod)
    entitlement = Entitlement(
        feature=feature or NO_FEATURE,
        usage_limit=limit,
        is_enabled=fields.flag("is_enabled", default=True),
        static_value=fields.text("static_value", default=""),
        usage_reset_period=period,
        is_soft_limit=fields.flag("is_soft_limit", default=False),
    )
    if feature is not None:
        _fits_feature(fields, feature)
    return entitlement


def read_credit_grant(fields: Fields, features: Features) -> CreditGrant:
    feature = read_feature(fields, features)
    if feature is not None and not feature.is_consumed:
        fields.blame(
            "feature", f"{feature.lookup_key} is not consumed: credits are units to use up"
        )
    kind = fields.choice("expiration_type", ExpirationType)
    grant = CreditGrant(
        name=fields.text("name"),
        feature=feature or NO_FEATURE,
        credits=_credits(fields),
        cadence=fields.choice("cadence", BillingCadence),
        expiration_type=kind,
        duration=fields.days("duration") if fields.has("duration") else None,
        period=fields.choice("period", BillingPeriod) if fields.has("period") else None,
        priority=fields.integer("priority", 0, MOST_COUNT, default=50),
    )
    if fields.fine("expiration_type"):
        needed = kind is ExpirationType.DURATION
        if needed and not fields.has("duration"):
            fields.blame("duration", "duration is missing: expiration_type DURATION needs one")
        elif fields.has("duration") and not needed:
            fields.blame("duration", f"expiration_type {kind} has no duration")
    if fields.has("period") and grant.cadence is BillingCadence.ONETIME:
        fields.blame("period", "a ONETIME grant has no period")
    return grant


def read_feature(fields: Fields, features: Features) -> Feature | None:
    """The feature of the file that the entry names; None, and reported, where there is none."""
    key = fields.text("feature")
    if not fields.fine("feature"):
        return None
    if key not in features:
        fields.blame("feature", f"unknown feature {key!r}: it is not in the list of features")
        return None
    return features[key]


def _credits(fields: Fields) -> Decimal:
    value = fields.amount("credits")
    if not fields.fine("credits"):
        return value
    exponent = value.normalize().as_tuple().exponent
    if not 0 < value < MOST_CREDITS:
        fields.blame("credits", f"credits must be above 0 and below {MOST_CREDITS:,f}")
    elif isinstance(exponent, int) and -exponent > CREDIT_DECIMALS:
        fields.blame("credits", f"credits {value:f} has more than {CREDIT_DECIMALS} decimal places")
    return value


def _fits_feature(fields: Fields, feature: Feature) -> None:
    """An entitlement says what its type of feature needs, and nothing that it has no use for."""
    refused = {
        FeatureType.METERED: ("static_value",),
        FeatureType.BOOLEAN: ("usage_limit", "static_value", "is_soft_limit"),
        FeatureType.STATIC: ("usage_limit", "is_soft_limit"),
    }[feature.type]
    for name in refused:
        if fields.has(name):
            fields.blame(name, f"the {feature.type} feature {feature.lookup_key} has no {name}")
    if fields.has("usage_reset_period") and not feature.is_consumed:
        fields.blame(
            "usage_reset_period",
            f"{feature.lookup_key} is not consumed, so that nothing is reset",
        )
    if feature.type is FeatureType.METERED and not fields.has("usage_limit"):
        fields.blame("usage_limit", "usage_limit is missing: a number, or null for unlimited")
    if feature.type is FeatureType.STATIC and not fields.has("static_value"):
        fields.blame("static_value", "static_value is missing: a static feature needs one")
