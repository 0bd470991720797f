"""What is sold: features, plans, add-ons, their prices, entitlements and credit grants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Interval,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Code,
    Created,
    Instant,
    Json,
    Key,
    Scoped,
    UnitPrice,
    Units,
    Word,
    in_environment,
    refers,
)

_STATUSES = "status in ('draft', 'published', 'archived')"
_PERIODS = "('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL')"


class FeatureRow(Scoped, Base):
    """use: consumed or held, for metered features only."""

    __tablename__ = "features"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "lookup_key"),
        CheckConstraint("type in ('metered', 'boolean', 'static')", name="type"),
        CheckConstraint("(type = 'metered') = (use is not null)", name="use_of_metered"),
        CheckConstraint("use in ('consumed', 'held')", name="use"),
        SCOPED,
    )

    lookup_key: Mapped[Key]
    name: Mapped[Key]
    type: Mapped[Word]
    use: Mapped[Word | None]
    unit_singular: Mapped[Word] = mapped_column(server_default="")
    unit_plural: Mapped[Word] = mapped_column(server_default="")
    created_at: Mapped[Created]


class PlanRow(Scoped, Base):
    __tablename__ = "plans"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "lookup_key"),
        CheckConstraint(_STATUSES, name="status"),
        SCOPED,
    )

    lookup_key: Mapped[Key]
    name: Mapped[Key]
    description: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[Word]
    sort: Mapped[int] = mapped_column(server_default="0")
    metadata_: Mapped[Json] = mapped_column("metadata", server_default=text("'{}'::jsonb"))
    created_at: Mapped[Created]


class AddOnRow(Scoped, Base):
    """allowed_plans: lookup keys, empty = every plan. max_instances counts units."""

    __tablename__ = "add_ons"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "lookup_key"),
        UniqueConstraint("environment_id", "id", "type"),
        CheckConstraint("type in ('onetime', 'multiple_instance')", name="type"),
        CheckConstraint(_STATUSES, name="status"),
        CheckConstraint("max_instances >= 1", name="max_instances"),
        SCOPED,
    )

    lookup_key: Mapped[Key]
    name: Mapped[Key]
    description: Mapped[str] = mapped_column(Text, server_default="")
    type: Mapped[Word]
    status: Mapped[Word]
    benefit: Mapped[str] = mapped_column(Text, server_default="")
    category: Mapped[Key] = mapped_column(server_default="")
    icon: Mapped[Word] = mapped_column(server_default="package")
    sort: Mapped[int] = mapped_column(server_default="0")
    max_instances: Mapped[int | None]
    allowed_plans: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    metadata_: Mapped[Json] = mapped_column("metadata", server_default=text("'{}'::jsonb"))
    created_at: Mapped[Created]


class _OfPlanOrAddOn:
    """entity_type says which of the two ids is set."""

    entity_type: Mapped[Word]
    plan_id: Mapped[int | None] = mapped_column(BigInteger)
    add_on_id: Mapped[int | None] = mapped_column(BigInteger)


def _entity() -> tuple[Any, ...]:
    return (
        refers("plan_id", "plans"),
        refers("add_on_id", "add_ons"),
        CheckConstraint("entity_type in ('PLAN', 'ADDON')", name="entity_type"),
        CheckConstraint(
            "(entity_type = 'PLAN') = (plan_id is not null)"
            " and (entity_type = 'ADDON') = (add_on_id is not null)",
            name="one_entity",
        ),
    )


class PriceRow(_OfPlanOrAddOn, Scoped, Base):
    """Never changed once stored: a new price ends the old row and starts another.

    feature_id: what use a USAGE price charges for.
    """

    __tablename__ = "prices"
    __table_args__ = (
        *_entity(),
        refers("feature_id", "features"),
        CheckConstraint("(type = 'USAGE') = (feature_id is not null)", name="feature_of_usage"),
        Index(
            "uq_prices_current_lookup_key",
            "environment_id",
            "lookup_key",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_prices_plan", "environment_id", "plan_id"),
        Index("ix_prices_add_on", "environment_id", "add_on_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("type in ('FIXED', 'USAGE')", name="type"),
        CheckConstraint("billing_model in ('FLAT_FEE', 'PACKAGE', 'TIERED')", name="billing_model"),
        CheckConstraint(
            "(billing_model = 'TIERED') = (tier_mode is not null)"
            " and (billing_model = 'TIERED') = (tiers <> '[]'::jsonb)"
            " and tier_mode in ('VOLUME', 'SLAB')",
            name="tiers",
        ),
        CheckConstraint(
            "(billing_model = 'PACKAGE') = (transform_quantity is not null)", name="package"
        ),
        CheckConstraint(
            "billing_cadence in ('RECURRING', 'ONETIME')"
            " and (billing_cadence = 'RECURRING') = (billing_period is not null)",
            name="billing_cadence",
        ),
        CheckConstraint(f"billing_period in {_PERIODS}", name="billing_period"),
        CheckConstraint("billing_period_count >= 1", name="billing_period_count"),
        CheckConstraint(
            "invoice_cadence in ('ADVANCE', 'ARREAR')"
            " and (type <> 'USAGE' or invoice_cadence = 'ARREAR')"
            " and (billing_cadence <> 'ONETIME' or invoice_cadence = 'ADVANCE')",
            name="invoice_cadence",
        ),
        CheckConstraint(
            "capacity_ends in ('window', 'cycle', 'never', 'duration')"
            " and (capacity_ends = 'duration') = (capacity_duration is not null)",
            name="capacity_ends",
        ),
        CheckConstraint("trial_period_days >= 0", name="trial_period_days"),
        CheckConstraint("ended_at >= started_at", name="ended_after_start"),
        SCOPED,
    )

    lookup_key: Mapped[Key]
    amount: Mapped[UnitPrice]
    currency: Mapped[Code]
    type: Mapped[Word]
    feature_id: Mapped[int | None] = mapped_column(BigInteger)
    billing_model: Mapped[Word]
    tier_mode: Mapped[Word | None]
    tiers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    transform_quantity: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    billing_cadence: Mapped[Word]
    billing_period: Mapped[Word | None]
    billing_period_count: Mapped[int] = mapped_column(server_default="1")
    invoice_cadence: Mapped[Word]
    capacity_ends: Mapped[Word | None]
    capacity_duration: Mapped[timedelta | None] = mapped_column(Interval)
    trial_period_days: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[Instant]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class EntitlementRow(_OfPlanOrAddOn, Scoped, Base):
    """usage_limit: null = unlimited, 0 = none."""

    __tablename__ = "entitlements"
    __table_args__ = (
        *_entity(),
        refers("feature_id", "features"),
        UniqueConstraint(
            "environment_id",
            "entity_type",
            "plan_id",
            "add_on_id",
            "feature_id",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("usage_limit >= 0", name="usage_limit"),
        CheckConstraint(f"usage_reset_period in {_PERIODS}", name="usage_reset_period"),
        SCOPED,
    )

    feature_id: Mapped[int] = mapped_column(BigInteger)
    usage_limit: Mapped[int | None] = mapped_column(BigInteger)
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    static_value: Mapped[Key] = mapped_column(server_default="")
    usage_reset_period: Mapped[Word | None]
    is_soft_limit: Mapped[bool] = mapped_column(server_default=text("false"))


class CreditGrantRow(_OfPlanOrAddOn, Scoped, Base):
    __tablename__ = "credit_grants"
    __table_args__ = (
        *_entity(),
        refers("feature_id", "features"),
        CheckConstraint("credits > 0", name="credits"),
        CheckConstraint("cadence in ('RECURRING', 'ONETIME')", name="cadence"),
        CheckConstraint(
            f"period in {_PERIODS} and (period is null or cadence = 'RECURRING')", name="period"
        ),
        CheckConstraint(
            "expiration_type in ('NEVER', 'BILLING_CYCLE', 'DURATION')"
            " and (expiration_type = 'DURATION') = (duration is not null)",
            name="expiration_type",
        ),
        SCOPED,
    )

    name: Mapped[Key]
    feature_id: Mapped[int] = mapped_column(BigInteger)
    credits: Mapped[Units]
    cadence: Mapped[Word]
    expiration_type: Mapped[Word]
    duration: Mapped[timedelta | None] = mapped_column(Interval)
    period: Mapped[Word | None]
    priority: Mapped[int] = mapped_column(server_default="50")
