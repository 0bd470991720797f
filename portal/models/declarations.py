"""Cancellations that somebody declared without signing in, and what became of each."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Key, Scoped, Word, in_environment, refers


class DeclarationRow(Scoped, Base):
    """One declaration, word for word; append-only.

    wanted_on: null for the earliest possible time. text_version, locale, button: what it was typed
    under. address: of the network. receipt_digest: sha256 of what stands in the link to its page.
    digest: sha256 over all of it.
    """

    __tablename__ = "declarations"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "receipt_digest"),
        CheckConstraint("kind in ('ordinary', 'for_cause')", name="kind"),
        CheckConstraint("kind = 'ordinary' or reason <> ''", name="reason"),
        CheckConstraint("length(receipt_digest) = 64", name="receipt_digest"),
        CheckConstraint("length(digest) = 64", name="digest"),
        SCOPED,
    )

    kind: Mapped[Word]
    reason: Mapped[str] = mapped_column(String(1000))
    name: Mapped[Key]
    identification: Mapped[Key]
    contract: Mapped[Key]
    wanted_on: Mapped[date | None] = mapped_column(Date)
    email: Mapped[str] = mapped_column(String(320))
    text_version: Mapped[str] = mapped_column(String(20))
    locale: Mapped[str] = mapped_column(String(20))
    button: Mapped[str] = mapped_column(Text)
    button_locale: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(45))
    received_at: Mapped[Instant]
    receipt_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class DeclarationCaseRow(Scoped, Base):
    """What became of one declaration.

    matched_at: when an account was looked for; account_id: the one that fits, null for none.
    answer, said: of the staff. subject, ended_account_id, ends_at: of what was carried out.
    """

    __tablename__ = "declaration_cases"
    __table_args__ = (
        refers("declaration_id", "declarations"),
        refers("account_id", "accounts"),
        refers("staff_id", "staff"),
        refers("ended_account_id", "accounts"),
        UniqueConstraint("environment_id", "declaration_id"),
        Index(
            "ix_declaration_cases_unmatched",
            "environment_id",
            "id",
            postgresql_where=sql("matched_at is null"),
        ),
        Index(
            "ix_declaration_cases_open",
            "environment_id",
            "id",
            postgresql_where=sql("answered_at is null"),
        ),
        CheckConstraint("account_id is null or matched_at is not null", name="matched"),
        CheckConstraint("answer in ('carried_out', 'done', 'not_ours')", name="answer"),
        CheckConstraint("num_nulls(answer, staff_id, answered_at) in (0, 3)", name="whole"),
        CheckConstraint("num_nulls(subject, ended_account_id, ends_at) in (0, 3)", name="ended"),
        CheckConstraint(
            "coalesce(answer = 'carried_out', false) = (subject is not null)", name="carried_out"
        ),
        CheckConstraint(
            "coalesce(answer, 'carried_out') = 'carried_out' or said <> ''", name="said"
        ),
        SCOPED,
    )

    declaration_id: Mapped[int] = mapped_column(BigInteger)
    matched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[Word | None]
    said: Mapped[str] = mapped_column(String(500), server_default="")
    staff_id: Mapped[int | None] = mapped_column(BigInteger)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    subject: Mapped[Word | None]
    ended_account_id: Mapped[int | None] = mapped_column(BigInteger)
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
