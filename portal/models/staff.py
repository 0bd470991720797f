"""The business's own people: how they sign in, apart from members, and their sessions."""

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
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Key, Scoped, Word, in_environment, refers
from portal.models.sign_in import OpensOnce, opens_once


class StaffRow(Scoped, Base):
    """One member of staff. encrypted: the secret of their authenticator, set with the password.

    last_step: the 30 seconds whose code was used last. ended_at: they come in no more.
    """

    __tablename__ = "staff"
    __table_args__ = (
        in_environment(),
        Index(
            "uq_staff_email",
            "environment_id",
            func.lower(text("email")),
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        CheckConstraint("(password_hash is null) = (encrypted is null)", name="both_steps"),
        CheckConstraint("role in ('support', 'admin')", name="role"),
        SCOPED,
    )

    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[Key]
    role: Mapped[Word] = mapped_column(server_default="support")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    encrypted: Mapped[str | None] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[Instant]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class StaffSessionRow(Scoped, Base):
    """A sign-in of staff. sid_digest: sha256 of the random id in their cookie.

    proved_at: when they last showed both steps; null where an identity provider does not say.
    """

    __tablename__ = "staff_sessions"
    __table_args__ = (
        refers("staff_id", "staff"),
        UniqueConstraint("environment_id", "sid_digest"),
        Index("ix_staff_sessions_staff", "environment_id", "staff_id"),
        CheckConstraint("length(sid_digest) = 64", name="sid_digest"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        SCOPED,
    )

    staff_id: Mapped[int] = mapped_column(BigInteger)
    sid_digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Instant]
    proved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))


class StaffChallengeRow(OpensOnce, Scoped, Base):
    """A sign-in of staff that waits for its code. digest: sha256 of the id in the browser."""

    __tablename__ = "staff_challenges"
    __table_args__ = (
        refers("staff_id", "staff"),
        *opens_once(),
    )

    staff_id: Mapped[int] = mapped_column(BigInteger)


class StaffLinkRow(OpensOnce, Scoped, Base):
    """A link that sets both steps of a sign-in, once. digest: sha256 of what is in the link.

    encrypted: the secret that it offers to an authenticator.
    """

    __tablename__ = "staff_links"
    __table_args__ = (
        refers("staff_id", "staff"),
        *opens_once(),
    )

    staff_id: Mapped[int] = mapped_column(BigInteger)
    encrypted: Mapped[str] = mapped_column(Text)
