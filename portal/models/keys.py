"""What lets the host application in: API keys, and the links it has made for members."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Key, Scoped, Word, in_environment, refers


class ApiKeyRow(Scoped, Base):
    """prefix: the part that is no secret. digest: sha256 of the whole key, which is kept nowhere.

    access: read, or write, which is both. opens_sessions: it makes links that sign members in.
    expires_at: set when another one has replaced it.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "prefix"),
        CheckConstraint("access in ('read', 'write')", name="access"),
        CheckConstraint("length(digest) = 64", name="digest"),
        SCOPED,
    )

    name: Mapped[Key]
    prefix: Mapped[Word]
    digest: Mapped[str] = mapped_column(String(64))
    access: Mapped[Word]
    opens_sessions: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[Instant]
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInLinkRow(Scoped, Base):
    """A link that signs one member in, once. digest: sha256 of what is in the link.

    key_id: the API key that asked for it. target: the page it leads to. used_at: when its button
    was pressed.
    """

    __tablename__ = "sign_in_links"
    __table_args__ = (
        refers("membership_id", "memberships"),
        refers("key_id", "api_keys"),
        UniqueConstraint("environment_id", "digest"),
        CheckConstraint("length(digest) = 64", name="digest"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        SCOPED,
    )

    membership_id: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
