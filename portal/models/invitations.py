"""Invitations that wait for an answer."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, Word, refers


class InvitationRow(Scoped, Base):
    """A link by mail to one address, gone once it is accepted or withdrawn.

    person_id: who sent it last. digest: sha256 of what is in the link that was mailed last.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "digest"),
        Index(
            "uq_invitations_email",
            "environment_id",
            "account_id",
            func.lower(text("email")),
            unique=True,
        ),
        CheckConstraint("role in ('owner', 'admin', 'billing', 'member')", name="role"),
        CheckConstraint("length(digest) = 64", name="digest"),
        CheckConstraint("expires_at > sent_at", name="expires_at"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str] = mapped_column(String(320))
    role: Mapped[Word]
    digest: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[Instant]
    expires_at: Mapped[Instant]
