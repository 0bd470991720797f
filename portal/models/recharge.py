"""Auto-recharge: what was agreed to for each feature, who agreed, and every decision."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import (
    SCOPED,
    Base,
    Code,
    Created,
    Instant,
    Minor,
    Scoped,
    Word,
    refers,
)


class RechargePolicyRow(Scoped, Base):
    """When and what to buy of one feature. threshold: units, fixed when saved. add_on_id: the pack.

    cap_minor: of a calendar month, tax included. rounds: purchases begun so far, which makes each
    one's nonce. tried_at: when the last began, in the account's time. look_at: when it is to be
    evaluated next, in the account's time; look_for: what makes it so. refused_card_id: the card
    that the bank refused; it is not tried again by itself.
    """

    __tablename__ = "recharge_policies"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("feature_id", "features"),
        refers("add_on_id", "add_ons"),
        refers("refused_card_id", "payment_methods"),
        UniqueConstraint("environment_id", "account_id", "feature_id"),
        Index(
            "ix_recharge_policies_due",
            "environment_id",
            "look_at",
            postgresql_where=text("status = 'on' and look_at is not null"),
        ),
        CheckConstraint("status in ('on', 'paused', 'off')", name="status"),
        CheckConstraint("(status = 'paused') = (pause_cause <> '')", name="pause_cause"),
        CheckConstraint("threshold > 0 and cap_minor > 0 and cooldown_s >= 0", name="figures"),
        CheckConstraint("(look_at is null) = (look_for = '')", name="look_for"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    feature_id: Mapped[int] = mapped_column(BigInteger)
    add_on_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Word]
    pause_cause: Mapped[Word] = mapped_column(server_default="")
    threshold: Mapped[int] = mapped_column(BigInteger)
    cap_minor: Mapped[Minor]
    currency: Mapped[Code]
    cooldown_s: Mapped[int]
    rounds: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    look_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    look_for: Mapped[Word] = mapped_column(server_default="")
    refused_card_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Created]


class RechargeConsentRow(Scoped, Base):
    """What a member agreed to, word for word; append-only. text_version: of the wording.

    A row for each pack that the words name, with the same words and instant; the chosen one's is
    the last. amount_minor: of one such pack, tax included.
    """

    __tablename__ = "recharge_consents"
    __table_args__ = (
        refers("policy_id", "recharge_policies"),
        refers("person_id", "persons"),
        Index("ix_recharge_consents_policy", "environment_id", "policy_id"),
        SCOPED,
    )

    policy_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    text_version: Mapped[str] = mapped_column(String(20))
    locale: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    add_on_id: Mapped[int] = mapped_column(BigInteger)
    threshold: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[Minor]
    cap_minor: Mapped[Minor]
    currency: Mapped[Code]
    cooldown_s: Mapped[int]
    consented_at: Mapped[Instant]


class RechargeDecisionRow(Scoped, Base):
    """One evaluation and its cause; append-only. remaining: units that were left; None = no limit.

    amount_minor: of the pack, tax included. clears: False where even the largest pack leaves too
    little. reason: why a charge was refused. until_at: how long the cause holds.
    """

    __tablename__ = "recharge_decisions"
    __table_args__ = (
        refers("account_id", "accounts"),
        refers("policy_id", "recharge_policies"),
        refers("add_on_id", "add_ons"),
        refers("purchase_id", "purchases"),
        UniqueConstraint("environment_id", "purchase_id", "cause"),
        Index("ix_recharge_decisions_account", "environment_id", "account_id", "id"),
        Index("ix_recharge_decisions_policy", "environment_id", "policy_id", "id"),
        CheckConstraint("cause <> 'bought' or purchase_id is not null", name="bought"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    policy_id: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[Word]
    trigger: Mapped[Word]
    remaining: Mapped[Decimal | None] = mapped_column(Numeric(30, 8))
    threshold: Mapped[int] = mapped_column(BigInteger)
    add_on_id: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[Code]
    clears: Mapped[bool]
    reason: Mapped[Word]
    until_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    purchase_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[Instant]
