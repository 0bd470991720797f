"""Mail that waits to be sent, and that was sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Created,
    Json,
    Key,
    Scoped,
    Word,
    in_environment,
    refers,
)


class MailRow(Scoped, Base):
    """One mail to one person, stored when what it tells of happens, in the same transaction.

    key: of what it tells and to whom; a repeat is not stored. notice: the figures it tells; subject
    and texts are what was made of them when it was sent last. invoice_id: its PDF goes along.
    unanswered: tries of which nobody knows how they ended.
    """

    __tablename__ = "mails"
    __table_args__ = (
        in_environment(),
        refers("account_id", "accounts"),
        refers("invoice_id", "invoices"),
        UniqueConstraint("environment_id", "key"),
        Index(
            "ix_mails_queued",
            "environment_id",
            "created_at",
            postgresql_where=sql("status = 'queued'"),
        ),
        CheckConstraint("status in ('queued', 'sent', 'failed')", name="status"),
        CheckConstraint("unanswered >= 0 and tries >= unanswered", name="tries"),
        CheckConstraint("(status = 'sent') = (sent_at is not null)", name="sent_at"),
        SCOPED,
    )

    account_id: Mapped[int | None] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[Word]
    key: Mapped[Key]
    recipient: Mapped[str] = mapped_column(String(320))
    locale: Mapped[str] = mapped_column(String(20))
    notice: Mapped[Json]
    subject: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text, server_default="")
    html: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[Word]
    tries: Mapped[int] = mapped_column(server_default="0")
    unanswered: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[Created]
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
