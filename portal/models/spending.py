"""What an account may spend in a calendar month, and what it has spent and reserved."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Code, Instant, Minor, Word, refers


class SpendMonthRow(Base):
    """One month's sums, tax included. policy_id: of an auto-recharge; 0: of the whole account.

    month: its first day in the account's zone. reserved_minor: by purchases without an end yet.
    """

    __tablename__ = "spend_months"
    __table_args__ = (
        refers("account_id", "accounts"),
        CheckConstraint("reserved_minor >= 0 and spent_minor >= 0", name="sums"),
        CheckConstraint("extract(day from month) = 1", name="month"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    policy_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    currency: Mapped[Code]
    reserved_minor: Mapped[Minor]
    spent_minor: Mapped[Minor]


class SpendCeilingRow(Base):
    """How much an account wants to spend in a month, set by its owner."""

    __tablename__ = "spend_ceilings"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("set_by", "persons"),
        CheckConstraint("mode in ('off', 'warn', 'stop')", name="mode"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    mode: Mapped[Word]
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[Instant]
