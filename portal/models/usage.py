"""Capacity and its use: lots, the draws from them, usage events and their counters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Created, Instant, Scoped, Units, Word, refers


class LotRow(Scoped, Base):
    """Units of one feature with one end. remaining is a projection of the draws.

    source_key names what brought it (plan entitlement, instance, credit grant); with the window's
    start it is unique, so that creating a lot twice is refused.
    """

    __tablename__ = "lots"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        refers("instance_id", "instances"),
        UniqueConstraint("environment_id", "account_id", "source_key", "effective_at"),
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


class UsageEventRow(Base):
    """A reported fact. event_id is the host's; unique per account, so a repeat counts once."""

    __tablename__ = "usage_events"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    feature_id: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[Units]
    occurred_at: Mapped[Instant]
    dimensions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    received_at: Mapped[Created]


class DrawRow(Scoped, Base):
    """Units that one event took from one lot; append-only."""

    __tablename__ = "draws"
    __table_args__ = (
        refers("lot_id", "lots"),
        UniqueConstraint("environment_id", "account_id", "event_id", "lot_id"),
        Index("ix_draws_lot", "environment_id", "lot_id"),
        CheckConstraint("units > 0", name="units"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    lot_id: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[str] = mapped_column(String(255))
    units: Mapped[Units]
    at: Mapped[Instant]


class CounterRow(Base):
    """Use of one feature in one quota window; for a held feature `used` is the present level.

    excess: units that no lot covered.
    """

    __tablename__ = "counters"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        CheckConstraint("used >= 0 and excess >= 0 and excess <= used", name="units"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    feature_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    window_start_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    used: Mapped[Units]
    excess: Mapped[Units]
