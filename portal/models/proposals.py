"""What support proposes to an account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, refers


class ProposalRow(Scoped, Base):
    """An add-on for the account's members to buy or to decline; staff never buy it.

    Instants are the wall clock's. declined_by: the person who did. purchase_id: what a member made
    of it last, whether or not it came through.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("staff_id", "staff"),
        refers("add_on_id", "add_ons"),
        refers("declined_by", "persons"),
        refers("purchase_id", "purchases"),
        Index("ix_proposals_account", "environment_id", "account_id"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("expires_at > made_at", name="expires_at"),
        CheckConstraint("(declined_at is null) = (declined_by is null)", name="declined_by"),
        CheckConstraint("withdrawn_at is null or declined_at is null", name="one_end"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    staff_id: Mapped[int] = mapped_column(BigInteger)
    add_on_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int]
    auto_renew: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declined_by: Mapped[int | None] = mapped_column(BigInteger)
    purchase_id: Mapped[int | None] = mapped_column(BigInteger)
