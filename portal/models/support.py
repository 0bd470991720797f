"""Support views: each one that staff had of an account, and what its owners allowed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, Word, refers


class SupportWindowRow(Scoped, Base):
    """A time in which an account lets staff look, or the wish of staff for one.

    opened_at: None while a wish waits. closed_at: before its end, or the wish was refused.
    staff_id, reason, ticket, asked_at: of a wish; else an owner opened it unasked.
    """

    __tablename__ = "support_windows"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("staff_id", "staff"),
        refers("opened_by_id", "persons"),
        Index("ix_support_windows_account", "environment_id", "account_id"),
        CheckConstraint(
            "num_nulls(opened_at, opened_by_id, ends_at) in (0, 3)", name="opened_whole"
        ),
        CheckConstraint("num_nulls(staff_id, asked_at) in (0, 2)", name="asked_whole"),
        CheckConstraint("ends_at > opened_at", name="ends_at"),
        CheckConstraint("asked_at is not null or opened_at is not null", name="asked_or_opened"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    staff_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    ticket: Mapped[str] = mapped_column(String(100), server_default="")
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    opened_by_id: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SupportApprovalRow(Scoped, Base):
    """The wish of staff to look although no owner lets them, and a second one's answer to it.

    person_id: through whose eyes. expires_at: of the wish; once it is approved, of the approval.
    """

    __tablename__ = "support_approvals"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        refers("staff_id", "staff"),
        refers("answered_by_id", "staff"),
        Index("ix_support_approvals_staff", "environment_id", "staff_id", "account_id"),
        Index(
            "ix_support_approvals_waiting",
            "environment_id",
            "expires_at",
            postgresql_where=text("answered_at is null"),
        ),
        CheckConstraint(
            "num_nulls(answered_by_id, answered_at, is_approved) in (0, 3)", name="answered_whole"
        ),
        CheckConstraint("answered_by_id <> staff_id", name="answered_by"),
        CheckConstraint("expires_at > asked_at", name="expires_at"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    staff_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    ticket: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    answered_by_id: Mapped[int | None] = mapped_column(BigInteger)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_approved: Mapped[bool | None]


class SupportSessionRow(Scoped, Base):
    """Staff looking at an account as one of its members. sid_digest: as of a staff session.

    window_id: the window that allowed it; approval_id: the second member of staff's word that did,
    once. None where none was needed.
    """

    __tablename__ = "support_sessions"
    __table_args__ = (
        refers("staff_id", "staff"),
        refers("staff_session_id", "staff_sessions"),
        refers("account_id", "accounts"),
        refers("person_id", "persons"),
        refers("window_id", "support_windows"),
        refers("approval_id", "support_approvals"),
        UniqueConstraint("environment_id", "sid_digest"),
        UniqueConstraint("environment_id", "approval_id"),
        Index("ix_support_sessions_account", "environment_id", "account_id"),
        Index("ix_support_sessions_staff", "environment_id", "staff_id"),
        CheckConstraint("length(sid_digest) = 64", name="sid_digest"),
        CheckConstraint("expires_at > started_at", name="expires_at"),
        CheckConstraint("num_nulls(ended_at, end_cause) in (0, 2)", name="ended_whole"),
        CheckConstraint("window_id is null or approval_id is null", name="allowed_once"),
        SCOPED,
    )

    staff_id: Mapped[int] = mapped_column(BigInteger)
    staff_session_id: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    window_id: Mapped[int | None] = mapped_column(BigInteger)
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    ticket: Mapped[str] = mapped_column(String(100))
    sid_digest: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[Instant]
    last_seen_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_cause: Mapped[Word | None]
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))
