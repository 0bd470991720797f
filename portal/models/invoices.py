"""Issued invoices and their lines; immutable, numbered without gaps per environment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Code,
    Instant,
    Minor,
    Scoped,
    Word,
    in_environment,
    refers,
)
from portal.models.purchases import SaleLine


class InvoiceCounterRow(Base):
    """The last number given; its row lock orders the numbers."""

    __tablename__ = "invoice_counters"
    __table_args__ = (
        in_environment(),
        CheckConstraint("last_number >= 0", name="last_number"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)


class InvoiceRow(Scoped, Base):
    """total = lines and taxes; charged is what has to be paid for it; the rest was carried, taken
    from the balance or, where credits were more, given to it.

    Never changed once issued. status: as issued; what became of an open one is in `collections`.
    card_brand, card_last4: of the card that paid it, or that an open one is charged to by itself.
    purchase_id: of a sale. subscription_id, due_at: of a renewal, once for each boundary.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        refers("account_id", "accounts"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "purchase_id"],
            ["purchases.environment_id", "purchases.account_id", "purchases.id"],
        ),
        UniqueConstraint("environment_id", "number"),
        refers("subscription_id", "subscriptions"),
        UniqueConstraint("environment_id", "purchase_id"),
        UniqueConstraint("environment_id", "subscription_id", "due_at"),
        Index("ix_invoices_account", "environment_id", "account_id", "issued_at"),
        CheckConstraint("status in ('paid', 'carried', 'open')", name="status"),
        CheckConstraint(
            "charged_minor >= 0 and carried_out_minor >= 0 and credited_minor >= 0", name="amounts"
        ),
        CheckConstraint("num_nonnulls(purchase_id, subscription_id) = 1", name="one_origin"),
        CheckConstraint("(subscription_id is null) = (due_at is null)", name="due_at"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    purchase_id: Mapped[int | None] = mapped_column(BigInteger)
    subscription_id: Mapped[int | None] = mapped_column(BigInteger)
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    number: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    currency: Mapped[Code]
    total_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    balance_applied_minor: Mapped[Minor]
    charged_minor: Mapped[Minor]
    carried_out_minor: Mapped[Minor]
    credited_minor: Mapped[Minor] = mapped_column(server_default="0")
    card_brand: Mapped[Word]
    card_last4: Mapped[Word]
    issued_at: Mapped[Instant]


class InvoiceLineRow(SaleLine, Scoped, Base):
    """The accepted quote's line, copied as it was shown."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        refers("invoice_id", "invoices"),
        UniqueConstraint("environment_id", "invoice_id", "position"),
        SCOPED,
    )

    invoice_id: Mapped[int] = mapped_column(BigInteger)


class CollectionRow(Base):
    """What became of an invoice that was issued open.

    credited_minor: what credit notes took off what was to pay; `credited` once nothing is left.
    failed_at: when its first charge failed, by the account's clock. retries: those taken since.
    refused_cards: fingerprints that must not be tried again for it.
    """

    __tablename__ = "collections"
    __table_args__ = (
        refers("invoice_id", "invoices"),
        refers("account_id", "accounts"),
        refers("subscription_id", "subscriptions"),
        Index(
            "ix_collections_open",
            "environment_id",
            "subscription_id",
            postgresql_where=text("status = 'open'"),
        ),
        CheckConstraint("status in ('open', 'paid', 'credited')", name="status"),
        CheckConstraint("(status = 'paid') = (paid_at is not null)", name="paid_at"),
        CheckConstraint("retries >= 0", name="retries"),
        CheckConstraint("credited_minor >= 0", name="credited"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger)
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    retries: Mapped[int] = mapped_column(server_default="0")
    refused_cards: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    credited_minor: Mapped[Minor] = mapped_column(server_default="0")


class InvoiceDocumentRow(Base):
    """The PDF of an invoice: its bytes and their sha256, kept as they were made first."""

    __tablename__ = "invoice_documents"
    __table_args__ = (
        refers("invoice_id", "invoices"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[Instant]


class ReceiptDocumentRow(Base):
    """The PDF of what paid an invoice that was issued open: its bytes and their sha256."""

    __tablename__ = "receipt_documents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["environment_id", "invoice_id"],
            ["collections.environment_id", "collections.invoice_id"],
        ),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[Instant]
