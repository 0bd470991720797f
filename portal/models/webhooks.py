"""Where the host is told of events, and the messages to it: an outbox."""

from __future__ import annotations

from datetime import datetime

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
    Word,
    in_environment,
    refers,
)


class WebhookEndpointRow(Scoped, Base):
    """types: those it is told of, none = all. generation: of its secret, which is kept nowhere.

    overlap_until: how long the secret before signs too. paused_at: messages wait meanwhile.
    removed_at: there are no more.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        in_environment(),
        CheckConstraint("generation >= 1", name="generation"),
        SCOPED,
    )

    url: Mapped[str] = mapped_column(Text)
    types: Mapped[list[str]] = mapped_column(JSONB)
    generation: Mapped[int]
    overlap_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Instant]


class WebhookMessageRow(Scoped, Base):
    """One event on its way to one endpoint, stored in the transaction of what happened.

    message_key: the event's, the same at every endpoint and at every try. subject: `kind:id`.
    at: when it happened, by the account's clock. next_try_at: None = at once. answer: how the
    endpoint's last answer begins, or why there was none.
    """

    __tablename__ = "webhook_messages"
    __table_args__ = (
        refers("endpoint_id", "webhook_endpoints"),
        refers("account_id", "accounts"),
        UniqueConstraint("environment_id", "endpoint_id", "message_key"),
        Index(
            "ix_webhook_messages_queued",
            "environment_id",
            "next_try_at",
            postgresql_where=text("status = 'queued'"),
        ),
        CheckConstraint("status in ('queued', 'delivered', 'failed')", name="status"),
        CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name="delivered_at"),
        CheckConstraint("tries >= 0", name="tries"),
        SCOPED,
    )

    endpoint_id: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int] = mapped_column(BigInteger)
    message_key: Mapped[str] = mapped_column(String(40))
    type: Mapped[Key]
    subject: Mapped[Key]
    detail: Mapped[Json]
    at: Mapped[Instant]
    status: Mapped[Word]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer_status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Created]
