"""Quotes as accepted, the purchases made of them, and every attempt to charge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
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
    Code,
    Created,
    Instant,
    Json,
    Key,
    Minor,
    Scoped,
    Word,
    refers,
)

MAY_STILL_TAKE = ("started", "open", "needs_authentication")
"""Statuses of attempts that may still bring money."""


class QuoteRow(Scoped, Base):
    """nonce: of the signed token; unique, it makes accepting a quote happen once."""

    __tablename__ = "quotes"
    __table_args__ = (
        refers("price_id", "prices"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "subscription_id"],
            ["subscriptions.environment_id", "subscriptions.account_id", "subscriptions.id"],
        ),
        UniqueConstraint("environment_id", "nonce"),
        CheckConstraint(
            "charged_minor >= 0 and carried_out_minor >= 0 and credited_minor >= 0", name="due"
        ),
        CheckConstraint(
            "(charged_minor > 0)::int + (carried_out_minor > 0)::int + (credited_minor > 0)::int"
            " <= 1",
            name="charged_or_carried",
        ),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    price_id: Mapped[int] = mapped_column(BigInteger)
    nonce: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    quoted_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    currency: Mapped[Code]
    charged_minor: Mapped[Minor]
    carried_out_minor: Mapped[Minor]
    credited_minor: Mapped[Minor] = mapped_column(server_default="0")
    promise: Mapped[Json]
    created_at: Mapped[Created]


class SaleLine:
    """What one line says, in a quote and on the invoice that follows from it.

    amount_minor is signed: a credit, the tax on it and a balance line are negative. working:
    numbers, said in words later. instance_id: what it is for; credited_line_id: the invoice line
    that it gives back.
    """

    position: Mapped[int]
    kind: Mapped[Word]
    name: Mapped[Key]
    quantity: Mapped[int]
    amount_minor: Mapped[Minor]
    included: Mapped[bool]
    period_start_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    period_end_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    working: Mapped[Json]
    working_text: Mapped[str] = mapped_column(Text)
    instance_id: Mapped[int | None] = mapped_column(BigInteger)
    credited_line_id: Mapped[int | None] = mapped_column(BigInteger)


class QuoteLineRow(SaleLine, Scoped, Base):
    __tablename__ = "quote_lines"
    __table_args__ = (
        refers("quote_id", "quotes"),
        UniqueConstraint("environment_id", "quote_id", "position"),
        CheckConstraint("kind in ('charge', 'credit', 'tax', 'carried', 'balance')", name="kind"),
        CheckConstraint(
            "kind = 'tax' or (kind in ('balance', 'credit')) = (amount_minor < 0)", name="sign"
        ),
        SCOPED,
    )

    quote_id: Mapped[int] = mapped_column(BigInteger)


class PurchaseRow(Scoped, Base):
    """balance_reserved_minor and carried_reserved_minor: held from reserve until settle or fail.

    held_until: by the wall clock; no new attempt to pay starts afterwards. failure: why a failed
    one failed (`portal.domain.purchases.Failure`), empty for the others. kind: what is bought; an
    instance, more units of one, or a change of plan, which has none. policy_id: the auto-recharge
    that buys it, at most one at a time. spend_minor: what it counts in spend_month, tax included.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        refers("quote_id", "quotes"),
        refers("person_id", "persons"),
        refers("policy_id", "recharge_policies"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "instance_id"],
            ["instances.environment_id", "instances.account_id", "instances.id"],
        ),
        UniqueConstraint("environment_id", "quote_id"),
        UniqueConstraint("environment_id", "account_id", "id"),
        Index("ix_purchases_account", "environment_id", "account_id", "created_at"),
        Index(
            "ix_purchases_open",
            "environment_id",
            "created_at",
            postgresql_where=text("status = 'reserved'"),
        ),
        Index(
            "uq_purchases_in_flight",
            "environment_id",
            "policy_id",
            unique=True,
            postgresql_where=text("status = 'reserved' and policy_id is not null"),
        ),
        CheckConstraint("status in ('reserved', 'settled', 'failed')", name="status"),
        CheckConstraint("spend_minor >= 0", name="spend"),
        CheckConstraint("kind in ('add_on', 'quantity', 'plan')", name="kind"),
        CheckConstraint("(kind = 'plan') = (instance_id is null)", name="instance"),
        CheckConstraint(
            "balance_reserved_minor >= 0 and carried_reserved_minor >= 0", name="reserved"
        ),
        CheckConstraint("(status = 'settled') = (settled_at is not null)", name="settled_at"),
        CheckConstraint("(status = 'failed') = (failure <> '')", name="failure"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    quote_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[Word] = mapped_column(server_default="add_on")
    instance_id: Mapped[int | None] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    balance_reserved_minor: Mapped[Minor]
    carried_reserved_minor: Mapped[Minor]
    held_until: Mapped[Instant]
    failure: Mapped[Word] = mapped_column(server_default="")
    policy_id: Mapped[int | None] = mapped_column(BigInteger)
    spend_minor: Mapped[Minor] = mapped_column(server_default="0")
    spend_month: Mapped[date | None]
    created_at: Mapped[Created]
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PaymentAttemptRow(Scoped, Base):
    """One try to be paid for a purchase or an open invoice: a charge of a card, or a Checkout.

    params: the request as sent, kept so that a resend is the same byte for byte. reference: the
    payment. page_ref, page_url: of the Checkout, or the url where the bank asks.
    payment_method_id: the card that is charged, or that paid at the Checkout.
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        refers("payment_method_id", "payment_methods"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "purchase_id"],
            ["purchases.environment_id", "purchases.account_id", "purchases.id"],
        ),
        refers("invoice_id", "invoices"),
        UniqueConstraint("environment_id", "purchase_id", "number"),
        UniqueConstraint("environment_id", "invoice_id", "number"),
        UniqueConstraint("environment_id", "idempotency_key"),
        UniqueConstraint("environment_id", "page_ref"),
        Index("ix_payment_attempts_reference", "environment_id", "reference"),
        Index(
            "ix_payment_attempts_open",
            "environment_id",
            "created_at",
            postgresql_where=text("status in ('started', 'open', 'needs_authentication')"),
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("kind in ('charge', 'checkout')", name="kind"),
        CheckConstraint("num_nonnulls(purchase_id, invoice_id) = 1", name="one_debt"),
        CheckConstraint(
            "status in ('started', 'open', 'needs_authentication', 'succeeded', 'declined',"
            " 'expired', 'cancelled')",
            name="status",
        ),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    purchase_id: Mapped[int | None] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    payment_method_id: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[int]
    kind: Mapped[Word] = mapped_column(server_default="charge")
    idempotency_key: Mapped[Key]
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[Word]
    reference: Mapped[str | None] = mapped_column(String(255))
    page_ref: Mapped[str | None] = mapped_column(String(255))
    page_url: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[Word | None]
    error_code: Mapped[str | None] = mapped_column(String(100))
    decline_code: Mapped[str | None] = mapped_column(String(100))
    advice_code: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RefundRow(Scoped, Base):
    """Money that goes back: in full where what was paid for cannot be given, or by a credit note.

    idempotency_key: one for each attempt, or credit note, or refund that was made at the
    processor. status: requested until the processor has answered. reason: of
    `portal.domain.refunds.RefundReason`.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("attempt_id", "payment_attempts"),
        refers("credit_note_id", "credit_notes"),
        UniqueConstraint("environment_id", "credit_note_id"),
        UniqueConstraint("environment_id", "idempotency_key"),
        UniqueConstraint("environment_id", "reference"),
        Index("ix_refunds_attempt", "environment_id", "attempt_id"),
        Index("ix_refunds_account", "environment_id", "account_id", "created_at"),
        Index(
            "ix_refunds_open",
            "environment_id",
            "created_at",
            postgresql_where=text("status in ('requested', 'pending')"),
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("status in ('requested', 'pending', 'succeeded', 'failed')", name="status"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    attempt_id: Mapped[int] = mapped_column(BigInteger)
    credit_note_id: Mapped[int | None] = mapped_column(BigInteger)
    idempotency_key: Mapped[Key]
    payment_ref: Mapped[Key]
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    reason: Mapped[Word]
    status: Mapped[Word]
    reference: Mapped[str | None] = mapped_column(String(255))
    failure: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
