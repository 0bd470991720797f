"""Money: append-only double-entry transfers, and the balances that follow from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Code, Instant, Key, Minor, Scoped, Word, refers

_LEDGER = "('receivable', 'clearing', 'revenue', 'tax', 'balance', 'carried', 'owed_back')"


class TransferRow(Scoped, Base):
    """The application's role may only insert and read. key: unique; a repeat is refused."""

    __tablename__ = "transfers"
    __table_args__ = (
        refers("account_id", "accounts"),
        UniqueConstraint("environment_id", "key"),
        Index("ix_transfers_account", "environment_id", "account_id", "at"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        CheckConstraint(f"debit in {_LEDGER} and credit in {_LEDGER}", name="known_accounts"),
        SCOPED,
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    debit: Mapped[Word]
    credit: Mapped[Word]
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    code: Mapped[Word]
    key: Mapped[Key]
    at: Mapped[Instant]


class AccountBalanceRow(Base):
    """A projection of the transfers on BALANCE and CARRIED, less what open purchases hold.

    Moved in the same transaction as the transfers; `flask billing verify` recomputes it.
    """

    __tablename__ = "account_balances"
    __table_args__ = (
        refers("account_id", "accounts"),
        CheckConstraint("balance_minor >= 0 and carried_minor >= 0", name="available"),
        CheckConstraint(
            "balance_reserved_minor >= 0 and carried_reserved_minor >= 0", name="reserved"
        ),
        SCOPED,
    )

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    currency: Mapped[Code]
    balance_minor: Mapped[Minor]
    carried_minor: Mapped[Minor]
    balance_reserved_minor: Mapped[Minor]
    carried_reserved_minor: Mapped[Minor]
