"""Corrections of issued invoices, and their lines; immutable, in a series of their own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Code,
    Instant,
    Key,
    Minor,
    Scoped,
    Word,
    in_environment,
    refers,
)
from portal.models.purchases import SaleLine


class CreditNoteCounterRow(Base):
    """The last number given; its row lock orders the numbers."""

    __tablename__ = "credit_note_counters"
    __table_args__ = (
        in_environment(),
        CheckConstraint("last_number >= 0", name="last_number"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)


class CreditNoteRow(Scoped, Base):
    """What was given back of one invoice, and where it went; never changed.

    cause: of `portal.domain.credit_notes.Cause`; reason: in the staff's words. key: of what asked
    for it; the same is not credited twice. off_invoice, card and balance sum to the total;
    carried_out: what was left to pay of the invoice and waits for the next bill.
    """

    __tablename__ = "credit_notes"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("invoice_id", "invoices"),
        UniqueConstraint("environment_id", "number"),
        UniqueConstraint("environment_id", "key"),
        Index("ix_credit_notes_account", "environment_id", "account_id", "issued_at"),
        Index("ix_credit_notes_invoice", "environment_id", "invoice_id"),
        CheckConstraint("total_minor > 0 and tax_minor between 0 and total_minor", name="amounts"),
        CheckConstraint(
            "off_invoice_minor >= 0 and card_minor >= 0 and balance_minor >= 0"
            " and carried_out_minor >= 0",
            name="parts",
        ),
        CheckConstraint(
            "off_invoice_minor + card_minor + balance_minor = total_minor", name="whole"
        ),
        CheckConstraint(
            "cause in ('corrected', 'ended', 'at_processor', 'withdrawn', 'not_begun',"
            " 'contract_withdrawn')",
            name="cause",
        ),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[Key]
    cause: Mapped[Word]
    reason: Mapped[str] = mapped_column(Text)
    currency: Mapped[Code]
    total_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    off_invoice_minor: Mapped[Minor]
    card_minor: Mapped[Minor]
    balance_minor: Mapped[Minor]
    carried_out_minor: Mapped[Minor]
    card_brand: Mapped[Word]
    card_last4: Mapped[Word]
    issued_at: Mapped[Instant]


class CreditNoteLineRow(SaleLine, Scoped, Base):
    """A credit or the tax on it, negative; credited_line_id names the invoice line."""

    __tablename__ = "credit_note_lines"
    __table_args__ = (
        refers("credit_note_id", "credit_notes"),
        ForeignKeyConstraint(
            ["environment_id", "credited_line_id"],
            ["invoice_lines.environment_id", "invoice_lines.id"],
        ),
        UniqueConstraint("environment_id", "credit_note_id", "position"),
        Index("ix_credit_note_lines_credited", "environment_id", "credited_line_id"),
        CheckConstraint("kind in ('credit', 'tax') and amount_minor <= 0", name="kind"),
        CheckConstraint("credited_line_id is not null", name="credits_a_line"),
        SCOPED,
    )

    credit_note_id: Mapped[int] = mapped_column(BigInteger)


class CreditNoteDocumentRow(Base):
    """The PDF of a credit note: its bytes and their sha256, kept as they were made first."""

    __tablename__ = "credit_note_documents"
    __table_args__ = (
        refers("credit_note_id", "credit_notes"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    credit_note_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[Instant]
