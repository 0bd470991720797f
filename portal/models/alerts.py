"""Alerts: that an account's members were told how much of a quota is used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Scoped, Total, refers


class QuotaAlertRow(Scoped, Base):
    """One threshold of one quota window, reached under one allowance.

    A larger allowance arms the threshold again; that is why it is part of the key.
    """

    __tablename__ = "quota_alerts"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        UniqueConstraint(
            "environment_id",
            "account_id",
            "feature_id",
            "window_start_at",
            "threshold",
            "allowance",
            name="uq_quota_alerts_once",
        ),
        CheckConstraint("threshold in (75, 90, 100)", name="threshold"),
        CheckConstraint("allowance > 0 and used * 100 >= threshold * allowance", name="units"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    feature_id: Mapped[int] = mapped_column(BigInteger)
    window_start_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    threshold: Mapped[int]
    allowance: Mapped[Total]
    used: Mapped[Total]
    at: Mapped[Instant]
