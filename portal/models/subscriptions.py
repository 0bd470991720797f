"""Subscriptions and the add-on instances on them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Created, Instant, Key, Minor, Scoped, Word, refers

Ids = Annotated[list[int], mapped_column(ARRAY(BigInteger), server_default=text("'{}'::bigint[]"))]


class SubscriptionRow(Scoped, Base):
    """price_id: the plan's price as it was sold. Anchors: boundary 0 of billing and of quotas.

    billed_until_at: the end of what the plan was billed for. next_due_at: when anything of the
    subscription may be due, never later than it is; the due scan looks at nothing else.
    resumed_at: when it was restored from suspension; what is billed until then is due for the rest
    of its period. cancel_at: the end of the term that the plan is not renewed after.
    usage_price_ids: of the USAGE prices that it was sold with. use_billed_until_at: what was used
    beyond the allowance, and fell due by then, is billed. use_apart_until_at: what was used by then
    has its price for good, or none. plan_paid_from_at: when the plan came, or its trial ended.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("plan_id", "plans"),
        refers("price_id", "prices"),
        UniqueConstraint("environment_id", "account_id", "id"),
        Index(
            "uq_subscriptions_live",
            "environment_id",
            "account_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "ix_subscriptions_due",
            "environment_id",
            "next_due_at",
            postgresql_where=text("ended_at is null"),
        ),
        CheckConstraint(
            "status in ('trialing', 'active', 'past_due', 'suspended', 'cancelled')", name="status"
        ),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    plan_id: Mapped[int] = mapped_column(BigInteger)
    price_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    billing_anchor_at: Mapped[Instant]
    quota_anchor_at: Mapped[Instant]
    billed_until_at: Mapped[Instant]
    next_due_at: Mapped[Instant]
    usage_price_ids: Mapped[Ids]
    use_billed_until_at: Mapped[Instant]
    use_apart_until_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resumed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[Instant]
    plan_paid_from_at: Mapped[Instant]
    cancel_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_reason: Mapped[str] = mapped_column(Text, server_default="")
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]


class BilledElsewhereRow(Base):
    """A plan's period that was paid for outside the portal, before the account came here.

    id: of the same series as those of invoice lines, so that a credit names either. amount_minor:
    without a tax that comes on top; the tax is that of the account at the time.
    """

    __tablename__ = "billed_elsewhere"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("subscription_id", "subscriptions"),
        UniqueConstraint("environment_id", "subscription_id"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("period_end_at > period_start_at", name="period"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[Key]
    amount_minor: Mapped[Minor]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    tax_inclusive: Mapped[bool]
    tax_label: Mapped[Word]
    period_start_at: Mapped[Instant]
    period_end_at: Mapped[Instant]


class InstanceRow(Scoped, Base):
    """One purchase of an add-on. In force from starts_at until the earlier of ends_at, cancel_at.

    add_on_type repeats the add-on's own, so that the exclusion constraint can read it; a foreign
    key keeps the two equal. quantity counts units. billing_anchor_at: its own boundary 0, where it
    is not the subscription's. billed_until_at: the end of what it was billed for; None for what is
    charged once. next_quantity: fewer units, agreed for its boundary next_quantity_at.
    usage_price_ids: of the USAGE prices that it was sold with.
    """

    __tablename__ = "instances"
    __table_args__ = (
        refers("price_id", "prices"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "subscription_id"],
            ["subscriptions.environment_id", "subscriptions.account_id", "subscriptions.id"],
        ),
        ForeignKeyConstraint(
            ["environment_id", "add_on_id", "add_on_type"],
            ["add_ons.environment_id", "add_ons.id", "add_ons.type"],
        ),
        UniqueConstraint("environment_id", "account_id", "id"),
        ExcludeConstraint(
            (func.int8range(text("subscription_id"), text("subscription_id"), "[]"), "&&"),
            (func.int8range(text("add_on_id"), text("add_on_id"), "[]"), "&&"),
            (func.tstzrange(text("starts_at"), text("least(ends_at, cancel_at)")), "&&"),
            where=text(
                "add_on_type = 'onetime' and status in ('pending_payment', 'scheduled', 'active')"
            ),
            using="gist",
            name="ex_instances_onetime_held_once",
        ),
        Index("ix_instances_account", "environment_id", "account_id", "subscription_id"),
        CheckConstraint("quantity >= 1 and next_quantity >= 1", name="quantity"),
        CheckConstraint(
            "(next_quantity is null) = (next_quantity_at is null)", name="next_quantity"
        ),
        CheckConstraint(
            "status in ('pending_payment', 'scheduled', 'active', 'ended', 'failed')", name="status"
        ),
        CheckConstraint("ends_at >= starts_at and cancel_at >= starts_at", name="ends_after_start"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    add_on_id: Mapped[int] = mapped_column(BigInteger)
    add_on_type: Mapped[Word]
    price_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int]
    status: Mapped[Word]
    starts_at: Mapped[Instant]
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_reason: Mapped[str] = mapped_column(Text, server_default="")
    billing_anchor_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    billed_until_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_quantity: Mapped[int | None]
    next_quantity_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    usage_price_ids: Mapped[Ids]
    purchased_by: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Created]


class PlanChangeRow(Scoped, Base):
    """A change of plan that was agreed for the end of the term; at most one waits.

    moves: what becomes of each instance then, as the quote said.
    """

    __tablename__ = "plan_changes"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("subscription_id", "subscriptions"),
        refers("plan_id", "plans"),
        refers("price_id", "prices"),
        refers("person_id", "persons"),
        Index(
            "uq_plan_changes_scheduled",
            "environment_id",
            "subscription_id",
            unique=True,
            postgresql_where=text("status = 'scheduled'"),
        ),
        CheckConstraint("status in ('scheduled', 'applied', 'withdrawn')", name="status"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    plan_id: Mapped[int] = mapped_column(BigInteger)
    price_id: Mapped[int] = mapped_column(BigInteger)
    usage_price_ids: Mapped[Ids]
    person_id: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[Instant]
    moves: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    status: Mapped[Word]
    created_at: Mapped[Created]
