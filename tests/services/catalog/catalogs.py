"""Hypothesis strategies for whole catalogs that keep every rule of the file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import strategies as st

from portal.domain.catalog import (
    AddOn,
    AddOnType,
    BillingCadence,
    BillingModel,
    CapacityEnds,
    Catalog,
    CreditGrant,
    Entitlement,
    EntityType,
    ExpirationType,
    Feature,
    FeatureType,
    FeatureUse,
    InvoiceCadence,
    Plan,
    Price,
    PriceType,
    Status,
    Tier,
    TierMode,
    TransformQuantity,
)
from portal.domain.money import CURRENCIES
from portal.domain.periods import BillingPeriod, Interval

keys = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,11}", fullmatch=True)
_LIKE_YAML = ("yes", "null", "007", "1.5", "2026-01-01", "- a", "#", "a: b", "~", "'", '"', "&a")
_odd = st.sampled_from([*_LIKE_YAML, "{x}", "é✓ 例"])
_printable = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
lines = _odd | st.text(_printable, min_size=1, max_size=30).filter(str.strip)
_paragraphs = st.lists(lines, min_size=1, max_size=3).map("\n".join)
prose = st.just("") | _paragraphs
words = st.just("") | lines
metadata = st.dictionaries(lines, _paragraphs, max_size=2)
days = st.integers(1, 9999).map(lambda number: timedelta(days=number))
intervals = st.builds(Interval, st.sampled_from(BillingPeriod), st.integers(1, 24))
statuses = st.sampled_from(Status)
unit_amounts = st.decimals(0, 10**9, places=15, allow_nan=False)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    numbers = count()
    features = draw(st.lists(_features(), min_size=1, max_size=4, unique_by=_key))
    plan_keys = draw(st.lists(keys, max_size=2, unique=True))
    add_on_keys = draw(st.lists(keys, max_size=3, unique=True))
    plans = [_plan(draw, key, features, numbers) for key in plan_keys]
    add_ons = [_add_on(draw, key, plan_keys, features, numbers) for key in add_on_keys]
    return Catalog(
        tuple(features),
        tuple(sorted(plans, key=lambda plan: (plan.sort, plan.lookup_key))),
        tuple(sorted(add_ons, key=lambda add_on: (add_on.sort, add_on.lookup_key))),
    )


def _key(feature: Feature) -> str:
    return feature.lookup_key


@st.composite
def _features(draw: st.DrawFn) -> Feature:
    kind = draw(st.sampled_from(FeatureType))
    use = draw(st.sampled_from(FeatureUse)) if kind is FeatureType.METERED else None
    has_unit = draw(st.booleans())
    return Feature(
        draw(keys), draw(lines), kind, use, draw(lines) if has_unit else "",
        draw(lines) if has_unit else "",
    )  # fmt: skip


def _plan(draw: st.DrawFn, key: str, features: list[Feature], numbers: count[int]) -> Plan:
    shared = _shared(draw, features)
    soft = [e.feature for e in shared["entitlements"] if _is_chargeable(e)]
    return Plan(
        lookup_key=key,
        status=draw(statuses),
        prices=_prices(draw, EntityType.PLAN, numbers, soft),
        **shared,
    )


def _is_chargeable(granted: Entitlement) -> bool:
    limited = granted.usage_limit is not None and granted.is_soft_limit and granted.is_enabled
    return granted.feature.is_consumed and limited


def _add_on(
    draw: st.DrawFn, key: str, plans: list[str], features: list[Feature], numbers: count[int]
) -> AddOn:
    kind = draw(st.sampled_from(AddOnType))
    many = kind is AddOnType.MULTIPLE_INSTANCE
    return AddOn(
        lookup_key=key,
        type=kind,
        status=draw(statuses),
        benefit=draw(lines),
        category=draw(words),
        icon=draw(st.sampled_from(["package", "plug"])),
        max_instances=draw(st.none() | st.integers(1, 2**31 - 1)) if many else None,
        allowed_plans=tuple(draw(st.lists(st.sampled_from(plans), unique=True))) if plans else (),
        prices=_prices(draw, EntityType.ADDON, numbers, []),
        **_shared(draw, features),
    )


def _shared(draw: st.DrawFn, features: list[Feature]) -> dict[str, Any]:
    granted = draw(st.lists(st.sampled_from(features), unique_by=_key))
    consumed = [feature for feature in features if feature.is_consumed]
    names = draw(st.lists(lines, max_size=2, unique=True)) if consumed else []
    return {
        "name": draw(lines),
        "description": draw(prose),
        "sort": draw(st.integers(-5, 5)),
        "metadata": draw(metadata),
        "entitlements": tuple(_entitlement(draw, feature) for feature in granted),
        "credit_grants": tuple(_credit_grant(draw, name, consumed) for name in names),
    }


def _entitlement(draw: st.DrawFn, feature: Feature) -> Entitlement:
    metered = feature.type is FeatureType.METERED
    period = draw(st.none() | st.sampled_from(BillingPeriod)) if feature.is_consumed else None
    return Entitlement(
        feature=feature,
        usage_limit=draw(st.none() | st.integers(0, 10**15)) if metered else None,
        is_enabled=draw(st.booleans()),
        static_value=draw(lines) if feature.type is FeatureType.STATIC else "",
        usage_reset_period=period,
        is_soft_limit=draw(st.booleans()) if metered else False,
    )


def _credit_grant(draw: st.DrawFn, name: str, consumed: list[Feature]) -> CreditGrant:
    kind = draw(st.sampled_from(ExpirationType))
    cadence = draw(st.sampled_from(BillingCadence))
    recurs = cadence is BillingCadence.RECURRING
    return CreditGrant(
        name=name,
        feature=draw(st.sampled_from(consumed)),
        credits=draw(st.decimals(Decimal("0.00000001"), 10**9, places=8)),
        cadence=cadence,
        period=draw(st.none() | st.sampled_from(BillingPeriod)) if recurs else None,
        expiration_type=kind,
        duration=draw(days) if kind is ExpirationType.DURATION else None,
        priority=draw(st.integers(0, 100)),
    )


def _prices(
    draw: st.DrawFn, entity: EntityType, numbers: count[int], soft: list[Feature]
) -> tuple[Price, ...]:
    """At most one price for each currency and length, all once or all every period.

    soft: what may be charged for.
    """
    once = entity is EntityType.ADDON and draw(st.booleans())
    spans = st.none() if once else intervals
    slots = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(CURRENCIES)), spans),
            max_size=3,
            unique_by=lambda slot: (slot[0], slot[1] and (slot[1].months, slot[1].days)),
        )
    )
    return tuple(
        _price(draw, entity, f"p{next(numbers)}", currency, interval, soft)
        for currency, interval in slots
    )


def _price(
    draw: st.DrawFn,
    entity: EntityType,
    key: str,
    currency: str,
    interval: Interval | None,
    soft: list[Feature],
) -> Price:
    usage = interval is not None and bool(soft) and draw(st.booleans())
    ends = draw(st.sampled_from(CapacityEnds)) if interval is None else None
    arrear = usage or (interval is not None and draw(st.booleans()))
    return Price(
        lookup_key=key,
        entity_type=entity,
        currency=currency,
        billing_cadence=BillingCadence.RECURRING if interval else BillingCadence.ONETIME,
        interval=interval,
        type=PriceType.USAGE if usage else PriceType.FIXED,
        feature=draw(st.sampled_from(soft)) if usage else None,
        invoice_cadence=InvoiceCadence.ARREAR if arrear else InvoiceCadence.ADVANCE,
        capacity_ends=ends,
        capacity_duration=draw(days) if ends is CapacityEnds.DURATION else None,
        trial_period_days=0 if usage or interval is None else draw(st.integers(0, 730)),
        **_model(draw, currency, usage),
    )


def _model(draw: st.DrawFn, currency: str, usage: bool) -> dict[str, Any]:
    model = draw(st.sampled_from(BillingModel))
    row = CURRENCIES[currency]
    steps = draw(st.integers(0, 10**8)) * row.step
    amount = draw(unit_amounts) if usage else Decimal(steps).scaleb(-row.exponent)
    if model is BillingModel.TIERED:
        tops = sorted(draw(st.sets(st.integers(1, 10**15), max_size=3)))
        tiers = tuple(Tier(top, draw(unit_amounts), draw(unit_amounts)) for top in (*tops, None))
        mode = draw(st.sampled_from(TierMode))
        return {"billing_model": model, "amount": Decimal(0), "tier_mode": mode, "tiers": tiers}
    transform = TransformQuantity(
        draw(st.integers(1, 10**15)), draw(st.sampled_from(["up", "down"]))
    )
    package = model is BillingModel.PACKAGE
    return {
        "billing_model": model,
        "amount": amount,
        "transform_quantity": transform if package else None,
    }
