"""What members agreed to where it costs money, as it was shown."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, Word, refers


class ConsentRow(Scoped, Base):
    """One press of a paying button; append-only. subject: `purchase:1`, `instance:1` …

    text_version: of the wording. locale: of the page; button_locale: of the button's words.
    statements: what stood above it, in order. request: beside the box that was ticked.
    address: of the member's session. digest: sha256 over all of it.
    """

    __tablename__ = "consents"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        Index("ix_consents_subject", "environment_id", "account_id", "subject"),
        CheckConstraint("length(digest) = 64", name="digest"),
        CheckConstraint("button <> ''", name="button"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[Word]
    profile: Mapped[Word]
    text_version: Mapped[str] = mapped_column(String(20))
    locale: Mapped[str] = mapped_column(String(20))
    button: Mapped[str] = mapped_column(Text)
    button_locale: Mapped[str] = mapped_column(String(20))
    statements: Mapped[list[str]] = mapped_column(JSONB)
    request: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(45))
    agreed_at: Mapped[Instant]
    digest: Mapped[str] = mapped_column(String(64))
