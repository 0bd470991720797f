"""Issued invoices and their lines; immutable, numbered without gaps per environment."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
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
    """total = lines and taxes; paid = charged; the rest was carried or taken from the balance."""

    __tablename__ = "invoices"
    __table_args__ = (
        refers("account_id", "accounts"),
        ForeignKeyConstraint(
            ["environment_id", "account_id", "purchase_id"],
            ["purchases.environment_id", "purchases.account_id", "purchases.id"],
        ),
        UniqueConstraint("environment_id", "number"),
        UniqueConstraint("environment_id", "purchase_id"),
        Index("ix_invoices_account", "environment_id", "account_id", "issued_at"),
        CheckConstraint("status in ('paid', 'carried')", name="status"),
        CheckConstraint("charged_minor >= 0 and carried_out_minor >= 0", name="amounts"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    purchase_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    currency: Mapped[Code]
    total_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    balance_applied_minor: Mapped[Minor]
    charged_minor: Mapped[Minor]
    carried_out_minor: Mapped[Minor]
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
