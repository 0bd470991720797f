"""Capacity and its use: lots, the draws from them, usage events, counters and days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Created,
    Instant,
    Scoped,
    Total,
    Units,
    Word,
    refers,
)


class LotRow(Scoped, Base):
    """Units of one feature with one end. remaining is a projection of the draws.

    source_key names what brought it (plan entitlement, instance, credit grant); with the window's
    start it is unique, so that creating a lot twice is refused; that of credits that come once with
    a plan is unique by itself.
    """

    __tablename__ = "lots"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        refers("instance_id", "instances"),
        UniqueConstraint("environment_id", "account_id", "source_key", "effective_at"),
        Index(
            "uq_lots_once",
            "environment_id",
            "account_id",
            "source_key",
            unique=True,
            postgresql_where=text("source_key like 'plan-grant:%:%'"),
        ),
        Index("ix_lots_open", "environment_id", "account_id", "feature_id", "expires_at"),
        CheckConstraint("granted >= 0 and remaining >= 0 and remaining <= granted", name="units"),
        CheckConstraint("source in ('plan', 'instance', 'pack', 'credit_grant')", name="source"),
        CheckConstraint("expires_at > effective_at", name="expires_after_start"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    feature_id: Mapped[int] = mapped_column(BigInteger)
    instance_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[Word]
    source_key: Mapped[str] = mapped_column(String(80))
    granted: Mapped[Units]
    remaining: Mapped[Units]
    priority: Mapped[int]
    promotional: Mapped[bool]
    effective_at: Mapped[Instant]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]


class UsageIdRow(Base):
    """The id of an event that was counted, for as long as a repeat may come.

    received_at: in the account's own time.
    """

    __tablename__ = "usage_ids"
    __table_args__ = (
        refers("account_id", "accounts"),
        Index("ix_usage_ids_received", "environment_id", "received_at"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    received_at: Mapped[Instant]


class UsageEventRow(Scoped, Base):
    """A reported fact and where it was counted; append-only.

    event_id: the host's. excess: units that no lot covered. late: counted in the window that was
    present then, its own being closed. day: in the account's zone. Units below zero correct what
    was used; reason says why.
    """

    __tablename__ = "usage_events"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        CheckConstraint("units >= 0 or reason <> ''", name="reason"),
        CheckConstraint("excess between least(units, 0) and greatest(units, 0)", name="excess"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[str] = mapped_column(String(255))
    feature_id: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[Units]
    excess: Mapped[Units]
    occurred_at: Mapped[Instant]
    window_start_at: Mapped[Instant]
    late: Mapped[bool]
    day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    dimensions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    received_at: Mapped[Created]


class DrawRow(Scoped, Base):
    """Units that one event took from one lot, below zero when it gave them back; append-only.

    usage_event_id: the row of usage_events, without a key, so that old events can be put away.
    """

    __tablename__ = "draws"
    __table_args__ = (
        refers("lot_id", "lots"),
        UniqueConstraint("environment_id", "usage_event_id", "lot_id"),
        Index("ix_draws_lot", "environment_id", "lot_id"),
        CheckConstraint("units <> 0", name="units"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    lot_id: Mapped[int] = mapped_column(BigInteger)
    usage_event_id: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[Units]
    at: Mapped[Instant]


class CounterRow(Base):
    """Use of one feature in one quota window; for a held feature `used` is the present level.

    excess: units that no lot covered; settled: how many of them are in `arrears`, and change no
    more. level_at: when the level was reached, for held features.
    """

    __tablename__ = "counters"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        CheckConstraint("used >= 0 and excess >= 0 and excess <= used", name="units"),
        CheckConstraint("settled >= 0 and settled <= greatest(excess, 0)", name="settled"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    feature_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    window_start_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    used: Mapped[Total]
    excess: Mapped[Total]
    settled: Mapped[Total] = mapped_column(server_default="0")
    level_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ArrearRow(Scoped, Base):
    """Excess of a quota window that no later event changes; append-only but for its invoice.

    price_id: what each unit costs; null where nothing is charged for it. due_at: when it is billed.
    invoice_id: null until it is.
    """

    __tablename__ = "arrears"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("subscription_id", "subscriptions"),
        refers("feature_id", "features"),
        refers("price_id", "prices"),
        refers("invoice_id", "invoices"),
        Index("ix_arrears_account", "environment_id", "account_id", "feature_id"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("invoice_id is null or price_id is not null", name="billed_at_a_price"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    feature_id: Mapped[int] = mapped_column(BigInteger)
    window_start_at: Mapped[Instant]
    units: Mapped[Total]
    price_id: Mapped[int | None] = mapped_column(BigInteger)
    due_at: Mapped[Instant]
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    settled_at: Mapped[Instant]


class UsageDayRow(Base):
    """Use of one feature on one day of the account's zone; for a held feature its highest level.

    dimension, value: what use is broken down by; both empty for all of the day.
    """

    __tablename__ = "usage_days"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        CheckConstraint("units >= 0", name="units"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    feature_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(100), primary_key=True)
    units: Mapped[Total]
