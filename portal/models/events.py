"""Who did what, when; and what Stripe told us. Both append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Created,
    Instant,
    Json,
    Key,
    Scoped,
    in_environment,
    refers,
)


class EventRow(Scoped, Base):
    """A past-tense fact. actor: a person's e-mail, or the name of what acted (stripe, cli)."""

    __tablename__ = "events"
    __table_args__ = (
        in_environment(),
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        Index("ix_events_account", "environment_id", "account_id", "at"),
        SCOPED,
    )

    account_id: Mapped[int | None] = mapped_column(BigInteger)
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[Key]
    name: Mapped[Key]
    subject: Mapped[Key]
    detail: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[Instant]


class StripeEventRow(Base):
    """The webhook inbox: stored before anything is done, processed once, in any order."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        in_environment(),
        Index(
            "ix_stripe_events_waiting",
            "environment_id",
            "received_at",
            postgresql_where=text("processed_at is null"),
        ),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[Key]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[Created]
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str] = mapped_column(Text, server_default="")
