"""The catalog as the tables hold it, in the domain's own types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
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
from portal.domain.periods import BillingPeriod, Interval
from portal.models.catalog import (
    AddOnRow,
    CreditGrantRow,
    EntitlementRow,
    FeatureRow,
    PlanRow,
    PriceRow,
)
from portal.models.tenants import EnvironmentRow

Row = TypeVar("Row", FeatureRow, PlanRow, AddOnRow, PriceRow, EntitlementRow, CreditGrantRow)
Part = TypeVar("Part", PriceRow, EntitlementRow, CreditGrantRow)
Of = TypeVar("Of")
Owner = tuple[str, int]


_kept: WeakKeyDictionary[Engine | Connection, dict[int, tuple[int, Catalog]]] = WeakKeyDictionary()
"""For each database and environment: the last version read, and its catalog."""


def current_catalog(session: Session, scope: Scope) -> Catalog:
    """`load_catalog`, read anew only when the environment's catalog_version has grown.

    For readers: whoever changes the catalog in this session wants `load_catalog`.
    """
    version = session.scalars(
        select(EnvironmentRow.catalog_version).where(EnvironmentRow.id == scope.environment_id)
    ).one()
    kept = _kept.setdefault(session.get_bind(), {})
    found = kept.get(scope.environment_id)
    if found is None or found[0] != version:
        found = kept[scope.environment_id] = (version, load_catalog(session, scope))
    return found[1]


def load_catalog(session: Session, scope: Scope) -> Catalog:
    """All of one environment's catalog with the prices in force, every status, in page order.

    One query per table.
    """
    features = {row.id: _feature(row) for row in _rows(session, scope, FeatureRow)}
    prices = _by_owner(
        _rows(session, scope, PriceRow, PriceRow.ended_at.is_(None)),
        lambda row: price_of(row, features),
    )
    entitlements = _by_owner(
        _rows(session, scope, EntitlementRow), lambda row: _entitlement(row, features)
    )
    grants = _by_owner(
        _rows(session, scope, CreditGrantRow), lambda row: _credit_grant(row, features)
    )
    plans = [
        _plan(row, prices["PLAN", row.id], entitlements["PLAN", row.id], grants["PLAN", row.id])
        for row in _rows(session, scope, PlanRow)
    ]
    add_ons = [
        _add_on(
            row, prices["ADDON", row.id], entitlements["ADDON", row.id], grants["ADDON", row.id]
        )
        for row in _rows(session, scope, AddOnRow)
    ]
    return Catalog(
        tuple(features.values()),
        tuple(sorted(plans, key=_place)),
        tuple(sorted(add_ons, key=_place)),
    )


def _place(entry: Plan | AddOn) -> tuple[int, str]:
    return entry.sort, entry.lookup_key


def prices_by_id(
    session: Session, scope: Scope, ids: Iterable[int], features: Iterable[Feature]
) -> dict[int, Price]:
    """Prices as they were sold, ended ones too."""
    rows = _rows(session, scope, PriceRow, PriceRow.id.in_(set(ids)))
    known = {feature.id: feature for feature in features}
    return {row.id: price_of(row, known) for row in rows}


def _rows(
    session: Session, scope: Scope, table: type[Row], *where: ColumnElement[bool]
) -> list[Row]:
    statement = select(table).where(table.environment_id == scope.environment_id, *where)
    return list(session.scalars(statement.order_by(table.id)))


def _by_owner(rows: Iterable[Part], read: Callable[[Part], Of]) -> defaultdict[Owner, list[Of]]:
    """What belongs to each plan and add-on, in the order of the rows."""
    found: defaultdict[Owner, list[Of]] = defaultdict(list)
    for row in rows:
        found[row.entity_type, row.plan_id or row.add_on_id or 0].append(read(row))
    return found


def _feature(row: FeatureRow) -> Feature:
    return Feature(
        id=row.id,
        lookup_key=row.lookup_key,
        name=row.name,
        type=FeatureType(row.type),
        use=FeatureUse(row.use) if row.use else None,
        unit_singular=row.unit_singular,
        unit_plural=row.unit_plural,
    )


def price_of(row: PriceRow, features: Mapping[int, Feature]) -> Price:
    """The domain's price of a stored row."""
    period, transform = row.billing_period, row.transform_quantity
    return Price(
        id=row.id,
        lookup_key=row.lookup_key,
        entity_type=EntityType(row.entity_type),
        amount=row.amount,
        currency=row.currency,
        type=PriceType(row.type),
        feature=features[row.feature_id] if row.feature_id is not None else None,
        billing_model=BillingModel(row.billing_model),
        tier_mode=TierMode(row.tier_mode) if row.tier_mode else None,
        tiers=tuple(_tier(tier) for tier in row.tiers),
        transform_quantity=TransformQuantity(**transform) if transform else None,
        billing_cadence=BillingCadence(row.billing_cadence),
        interval=Interval(BillingPeriod(period), row.billing_period_count) if period else None,
        invoice_cadence=InvoiceCadence(row.invoice_cadence),
        capacity_ends=CapacityEnds(row.capacity_ends) if row.capacity_ends else None,
        capacity_duration=row.capacity_duration,
        trial_period_days=row.trial_period_days,
    )


def _tier(tier: dict[str, Any]) -> Tier:
    """Amounts are stored as strings, so that JSON keeps them exact."""
    return Tier(tier["up_to"], Decimal(tier["unit_amount"]), Decimal(tier["flat_amount"]))


def _entitlement(row: EntitlementRow, features: dict[int, Feature]) -> Entitlement:
    period = row.usage_reset_period
    return Entitlement(
        id=row.id,
        feature=features[row.feature_id],
        usage_limit=row.usage_limit,
        is_enabled=row.is_enabled,
        static_value=row.static_value,
        usage_reset_period=BillingPeriod(period) if period else None,
        is_soft_limit=row.is_soft_limit,
    )


def _credit_grant(row: CreditGrantRow, features: dict[int, Feature]) -> CreditGrant:
    return CreditGrant(
        id=row.id,
        name=row.name,
        feature=features[row.feature_id],
        credits=row.credits,
        cadence=BillingCadence(row.cadence),
        expiration_type=ExpirationType(row.expiration_type),
        duration=row.duration,
        period=BillingPeriod(row.period) if row.period else None,
        priority=row.priority,
    )


def _plan(
    row: PlanRow, prices: list[Price], entitlements: list[Entitlement], grants: list[CreditGrant]
) -> Plan:
    return Plan(
        id=row.id,
        lookup_key=row.lookup_key,
        name=row.name,
        description=row.description,
        status=Status(row.status),
        sort=row.sort,
        metadata=row.metadata_,
        prices=tuple(prices),
        entitlements=tuple(entitlements),
        credit_grants=tuple(grants),
    )


def _add_on(
    row: AddOnRow, prices: list[Price], entitlements: list[Entitlement], grants: list[CreditGrant]
) -> AddOn:
    return AddOn(
        id=row.id,
        lookup_key=row.lookup_key,
        name=row.name,
        description=row.description,
        type=AddOnType(row.type),
        status=Status(row.status),
        benefit=row.benefit,
        category=row.category,
        icon=row.icon,
        sort=row.sort,
        max_instances=row.max_instances,
        allowed_plans=tuple(row.allowed_plans),
        metadata=row.metadata_,
        prices=tuple(prices),
        entitlements=tuple(entitlements),
        credit_grants=tuple(grants),
    )
