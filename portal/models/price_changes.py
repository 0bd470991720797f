"""Prices that holders of an old one are moved to, each at a boundary of its own."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Created, Instant, Scoped, Word, refers


class PriceChangeRow(Scoped, Base):
    """What a subscription's plan, or one instance, costs from effective_at on.

    instance_id: null for the plan. feature_id: of a price for use; null for the price itself.
    announced_at: when its members were told, by the account's clock. applied: the new price is
    paid; withdrawn: it never is.
    """

    __tablename__ = "price_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["environment_id", "account_id", "subscription_id"],
            ["subscriptions.environment_id", "subscriptions.account_id", "subscriptions.id"],
        ),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "instance_id"],
            ["instances.environment_id", "instances.account_id", "instances.id"],
        ),
        refers("old_price_id", "prices"),
        refers("new_price_id", "prices"),
        refers("feature_id", "features"),
        Index(
            "uq_price_changes_scheduled",
            "environment_id",
            "subscription_id",
            "instance_id",
            "feature_id",
            "effective_at",
            unique=True,
            postgresql_where=text("status = 'scheduled'"),
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("status in ('scheduled', 'applied', 'withdrawn')", name="status"),
        CheckConstraint("old_price_id <> new_price_id", name="another_price"),
        CheckConstraint("effective_at > announced_at", name="announced_before"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    instance_id: Mapped[int | None] = mapped_column(BigInteger)
    feature_id: Mapped[int | None] = mapped_column(BigInteger)
    old_price_id: Mapped[int] = mapped_column(BigInteger)
    new_price_id: Mapped[int] = mapped_column(BigInteger)
    announced_at: Mapped[Instant]
    effective_at: Mapped[Instant]
    status: Mapped[Word]
    created_at: Mapped[Created]
