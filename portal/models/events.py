"""Who did what, when, and the chain that seals it; and what Stripe told us."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
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
    """A past-tense fact, appended and never changed.

    actor: a person, or the name of what acted (stripe, cli). account_id: whom it concerns; None
    for what is the tenant's own. behalf_of_id: the member through whose eyes somebody else acted.
    address: of the actor's session, where there is one.
    """

    __tablename__ = "events"
    __table_args__ = (
        in_environment(),
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        refers("behalf_of_id", "persons"),
        Index("ix_events_account", "environment_id", "account_id", "at"),
        Index("ix_events_at", "environment_id", "at", "id"),
        Index("ix_events_name", "environment_id", "name", "at"),
        Index(
            "ix_events_actor",
            *("environment_id", "actor", "at"),
            postgresql_ops={"actor": "text_pattern_ops"},
        ),
        SCOPED,
    )

    account_id: Mapped[int | None] = mapped_column(BigInteger)
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    behalf_of_id: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[Key]
    address: Mapped[str] = mapped_column(String(45), server_default="")
    name: Mapped[Key]
    subject: Mapped[Key]
    detail: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[Instant]


class EventSealRow(Base):
    """One link of an account's chain (`portal.domain.chain`); account_id 0 is the tenant's own."""

    __tablename__ = "event_seals"
    __table_args__ = (
        in_environment(),
        refers("event_id", "events"),
        UniqueConstraint("environment_id", "event_id"),
        CheckConstraint("position > 0", name="position"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class EventChainRow(Base):
    """Where a chain ends. Its row lock is taken last in a transaction, as it commits."""

    __tablename__ = "event_chains"
    __table_args__ = (in_environment(), CheckConstraint("length >= 0", name="length"), SCOPED)

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


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
