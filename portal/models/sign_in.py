"""What guards sign-ins: counted tries, known devices, second factors, links for new passwords."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, in_environment, refers


class TryCountRow(Scoped, Base):
    """Tries at one thing that is guarded. subject: sha256 of what is counted.

    since_at: from when on time forgives them, one by one. forget_at: when none is left.
    """

    __tablename__ = "try_counts"
    __table_args__ = (
        in_environment(),
        UniqueConstraint("environment_id", "subject"),
        Index("ix_try_counts_forget", "environment_id", "forget_at"),
        CheckConstraint("length(subject) = 64", name="subject"),
        CheckConstraint("tries >= 0", name="tries"),
        SCOPED,
    )

    subject: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int]
    since_at: Mapped[Instant]
    paused_until: Mapped[Instant]
    forget_at: Mapped[Instant]


class DeviceRow(Scoped, Base):
    """A browser that somebody has signed in with. digest: sha256 of what its cookie holds."""

    __tablename__ = "devices"
    __table_args__ = (
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "person_id", "digest"),
        CheckConstraint("length(digest) = 64", name="digest"),
        SCOPED,
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Instant]
    last_used_at: Mapped[Instant]


class OpensOnce:
    """What opens something once: digest, the sha256 of what its holder shows."""

    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def opens_once() -> tuple[Any, ...]:
    return (
        UniqueConstraint("environment_id", "digest"),
        CheckConstraint("length(digest) = 64", name="digest"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        SCOPED,
    )


class ChallengeRow(OpensOnce, Scoped, Base):
    """A sign-in that waits for its code. digest: sha256 of the id in the browser's cookie."""

    __tablename__ = "challenges"
    __table_args__ = (
        refers("person_id", "persons"),
        refers("membership_id", "memberships"),
        *opens_once(),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    membership_id: Mapped[int] = mapped_column(BigInteger)


class ResetLinkRow(OpensOnce, Scoped, Base):
    """A link that sets a new password, once. digest: sha256 of what is in the link."""

    __tablename__ = "reset_links"
    __table_args__ = (
        refers("person_id", "persons"),
        *opens_once(),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)


class ResetWishRow(Scoped, Base):
    """Somebody asked for such a link, until the worker has looked whose address it is.

    email: as it was typed. address, user_agent: of their browser.
    """

    __tablename__ = "reset_wishes"
    __table_args__ = (in_environment(), SCOPED)

    email: Mapped[str] = mapped_column(String(320))
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[Instant]


class SecondFactorRow(Scoped, Base):
    """A person's authenticator. encrypted: its secret. confirmed_at: in force since.

    last_step: the 30 seconds whose code was used last; it and those before are spent.
    """

    __tablename__ = "second_factors"
    __table_args__ = (
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "person_id"),
        SCOPED,
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    encrypted: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")


class RecoveryCodeRow(Scoped, Base):
    """A code for who has lost their authenticator, good once. digest: sha256 of it."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "person_id", "digest"),
        CheckConstraint("length(digest) = 64", name="digest"),
        SCOPED,
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Instant]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
