"""Double-entry transfers of money; balances are always derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.money import Money


class LedgerAccount(StrEnum):
    """One customer's accounts. RECEIVABLE is zero whenever nothing is half-done."""

    RECEIVABLE = "receivable"
    CLEARING = "clearing"
    REVENUE = "revenue"
    TAX = "tax"
    BALANCE = "balance"
    CARRIED = "carried"


class TransferCode(StrEnum):
    SALE = "sale"
    TAX = "tax"
    PAYMENT = "payment"
    BALANCE_APPLIED = "balance_applied"
    BALANCE_CREDITED = "balance_credited"
    CARRIED_FORWARD = "carried_forward"
    CARRIED_BILLED = "carried_billed"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement of a positive amount from `credit` to `debit`.

    key: unique in the environment; posting the same key twice is refused.
    """

    debit: LedgerAccount
    credit: LedgerAccount
    amount: Money
    code: TransferCode
    key: str

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise ValueError("a transfer moves a positive amount")
        if self.debit == self.credit:
            raise ValueError("a transfer needs two accounts")


@dataclass(frozen=True, slots=True)
class Settlement:
    """The money of one settled purchase; every amount >= 0.

    sale + tax + carried_in = balance_applied + charged + carried_out.
    """

    sale: Money
    tax: Money
    carried_in: Money
    balance_applied: Money
    charged: Money
    carried_out: Money


def settlement_transfers(settled: Settlement, key: str) -> tuple[Transfer, ...]:
    """The entries of a settled purchase; zero amounts move nothing."""
    of, at = LedgerAccount, TransferCode
    entries = (
        (of.RECEIVABLE, of.REVENUE, settled.sale, at.SALE),
        (of.RECEIVABLE, of.TAX, settled.tax, at.TAX),
        (of.RECEIVABLE, of.CARRIED, settled.carried_in, at.CARRIED_BILLED),
        (of.BALANCE, of.RECEIVABLE, settled.balance_applied, at.BALANCE_APPLIED),
        (of.CLEARING, of.RECEIVABLE, settled.charged, at.PAYMENT),
        (of.CARRIED, of.RECEIVABLE, settled.carried_out, at.CARRIED_FORWARD),
    )
    return tuple(
        Transfer(debit, credit, amount, code, f"{key}:{code}")
        for debit, credit, amount, code in entries
        if amount.minor > 0
    )


def debit_balance(account: LedgerAccount, transfers: Iterable[Transfer], code: str) -> Money:
    """Debits minus credits on `account`, in currency `code`."""
    minor = sum(
        t.amount.minor * ((t.debit == account) - (t.credit == account))
        for t in transfers
        if t.amount.currency == code
    )
    return Money(minor, code)
