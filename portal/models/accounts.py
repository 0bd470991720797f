"""Paying customers, their members, sign-in sessions and saved cards."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Numeric,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Code,
    Created,
    Instant,
    Key,
    Scoped,
    Word,
    in_environment,
    refers,
)


class AccountRow(Scoped, Base):
    """key: the host application's own id. test_clock_at: this account's now, when set.

    country: two letters; empty where the host has not said.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "key"),
        Index(
            "uq_accounts_stripe_customer",
            "environment_id",
            "stripe_customer_id",
            unique=True,
            postgresql_where=text("stripe_customer_id is not null"),
        ),
        CheckConstraint("tax_rate >= 0 and tax_rate < 100", name="tax_rate"),
        CheckConstraint("country ~ '^([A-Z]{2})?$'", name="country"),
        CheckConstraint("customer_type in ('business', 'consumer')", name="customer_type"),
        SCOPED,
    )

    key: Mapped[Key]
    name: Mapped[Key]
    currency: Mapped[Code]
    zone: Mapped[Word] = mapped_column(server_default="UTC")
    stripe_customer_id: Mapped[str | None] = mapped_column(String(255))
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(7, 4), server_default="0")
    tax_inclusive: Mapped[bool] = mapped_column(server_default=text("false"))
    tax_label: Mapped[Word] = mapped_column(server_default="")
    country: Mapped[str] = mapped_column(String(2), server_default="")
    customer_type: Mapped[Word] = mapped_column(server_default="business")
    test_clock_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]


class PersonRow(Scoped, Base):
    """locale: empty where none was chosen."""

    __tablename__ = "persons"
    __table_args__ = (
        in_environment(),
        Index("uq_persons_email", "environment_id", func.lower(text("email")), unique=True),
        SCOPED,
    )

    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[Key]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    locale: Mapped[str] = mapped_column(String(20), server_default="")
    created_at: Mapped[Created]


class MembershipRow(Scoped, Base):
    """wants_…: mails that this member chose to get. digest_since_at: None without the digest."""

    __tablename__ = "memberships"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "account_id", "person_id"),
        Index("ix_memberships_person", "environment_id", "person_id"),
        CheckConstraint("role in ('owner', 'admin', 'billing', 'member')", name="role"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[Word]
    wants_alerts: Mapped[bool] = mapped_column(server_default=text("true"))
    wants_expiries: Mapped[bool] = mapped_column(server_default=text("true"))
    digest_since_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]


class SessionRow(Scoped, Base):
    """A sign-in. sid_digest: sha256 of the random id in the cookie, never the id itself."""

    __tablename__ = "sessions"
    __table_args__ = (
        refers("person_id", "persons"),
        refers("membership_id", "memberships"),
        UniqueConstraint("environment_id", "sid_digest"),
        Index("ix_sessions_person", "environment_id", "person_id"),
        SCOPED,
    )

    sid_digest: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(BigInteger)
    membership_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Instant]
    last_seen_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(String(45), server_default="")
    user_agent: Mapped[str] = mapped_column(String(255), server_default="")


class PaymentMethodRow(Scoped, Base):
    """A saved card. detached_at: taken away, here or at Stripe; kept for the invoices it paid.

    refused_at: when its bank forbade to try it again; by itself nothing is charged to it since.
    """

    __tablename__ = "payment_methods"
    __table_args__ = (
        refers("account_id", "accounts"),
        UniqueConstraint("environment_id", "stripe_payment_method_id"),
        Index(
            "uq_payment_methods_default",
            "environment_id",
            "account_id",
            unique=True,
            postgresql_where=text("is_default and detached_at is null"),
        ),
        Index(
            "uq_payment_methods_fingerprint",
            "environment_id",
            "account_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("fingerprint <> '' and detached_at is null"),
        ),
        CheckConstraint("exp_month between 1 and 12", name="exp_month"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    stripe_payment_method_id: Mapped[str] = mapped_column(String(255))
    brand: Mapped[Word]
    last4: Mapped[str] = mapped_column(String(4))
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    fingerprint: Mapped[Word]
    is_default: Mapped[bool]
    created_at: Mapped[Created]
    detached_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
