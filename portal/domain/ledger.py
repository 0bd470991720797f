"""Double-entry transfers of money; balances are always derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.credit_notes import Credit, Division
from portal.domain.money import Money


class LedgerAccount(StrEnum):
    """One customer's accounts. RECEIVABLE is zero whenever nothing is half-done.

    OWED_BACK: money that arrived for what could not be given, until it has gone back.
    """

    RECEIVABLE = "receivable"
    CLEARING = "clearing"
    REVENUE = "revenue"
    TAX = "tax"
    BALANCE = "balance"
    CARRIED = "carried"
    OWED_BACK = "owed_back"


class TransferCode(StrEnum):
    SALE = "sale"
    TAX = "tax"
    PAYMENT = "payment"
    BALANCE_APPLIED = "balance_applied"
    BALANCE_CREDITED = "balance_credited"
    CARRIED_FORWARD = "carried_forward"
    CARRIED_BILLED = "carried_billed"
    SALE_CREDITED = "sale_credited"
    TAX_CREDITED = "tax_credited"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    REFUND_OWED = "refund_owed"
    REFUND_KEPT = "refund_kept"


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
    return _transfers(entries, key)


def credit_transfers(sale: Money, tax: Money, to_balance: Money, key: str) -> tuple[Transfer, ...]:
    """The entries of what a settled change gives back, besides those of what it charges.

    to_balance: what is left of the credit once the charges are paid with it; amounts >= 0.
    """
    of, at = LedgerAccount, TransferCode
    entries = (
        (of.REVENUE, of.RECEIVABLE, sale, at.SALE_CREDITED),
        (of.TAX, of.RECEIVABLE, tax, at.TAX_CREDITED),
        (of.RECEIVABLE, of.BALANCE, to_balance, at.BALANCE_CREDITED),
    )
    return _transfers(entries, key)


def credit_note_transfers(credit: Credit, to: Division, key: str) -> tuple[Transfer, ...]:
    """The entries of a credit note. What is still to pay of its invoice falls by off_invoice."""
    of, at = LedgerAccount, TransferCode
    entries = (
        (of.REVENUE, of.RECEIVABLE, credit.sale, at.SALE_CREDITED),
        (of.TAX, of.RECEIVABLE, credit.tax, at.TAX_CREDITED),
        (of.RECEIVABLE, of.BALANCE, to.to_balance, at.BALANCE_CREDITED),
        (of.RECEIVABLE, of.OWED_BACK, to.to_card, at.REFUND_OWED),
        (of.CARRIED, of.RECEIVABLE, to.carried_out, at.CARRIED_FORWARD),
    )
    return _transfers(entries, key)


def invoice_payment(amount: Money, key: str) -> Transfer:
    """What was owed since an open invoice was issued is paid."""
    accounts = LedgerAccount.CLEARING, LedgerAccount.RECEIVABLE
    return Transfer(*accounts, amount, TransferCode.PAYMENT, f"{key}:{TransferCode.PAYMENT}")


def overpayment(amount: Money, key: str) -> Transfer:
    """What was paid of an open invoice beyond what was left to pay is the customer's."""
    accounts, code = (LedgerAccount.RECEIVABLE, LedgerAccount.BALANCE), TransferCode
    return Transfer(*accounts, amount, code.BALANCE_CREDITED, f"{key}:{code.BALANCE_CREDITED}")


def unearned_payment(amount: Money, key: str) -> Transfer:
    """Money that arrived for what cannot be given: it is the customer's until it goes back."""
    accounts = LedgerAccount.CLEARING, LedgerAccount.OWED_BACK
    return Transfer(*accounts, amount, TransferCode.PAYMENT, f"{key}:{TransferCode.PAYMENT}")


def refund_transfer(amount: Money, key: str) -> Transfer:
    """Such money once it has gone back."""
    accounts = LedgerAccount.OWED_BACK, LedgerAccount.CLEARING
    return Transfer(*accounts, amount, TransferCode.REFUND, f"{key}:{TransferCode.REFUND}")


def returned_refund(amount: Money, key: str) -> Transfer:
    """A refund that the bank sent back after all: the money is owed again."""
    accounts = LedgerAccount.CLEARING, LedgerAccount.OWED_BACK
    code = TransferCode.REFUND_RETURNED
    return Transfer(*accounts, amount, code, f"{key}:{code}")


def kept_refund(amount: Money, key: str) -> Transfer:
    """A refund that cannot go out: the money pays the customer's next charges."""
    accounts, code = (LedgerAccount.OWED_BACK, LedgerAccount.BALANCE), TransferCode.REFUND_KEPT
    return Transfer(*accounts, amount, code, f"{key}:{code}")


def debit_balance(account: LedgerAccount, transfers: Iterable[Transfer], code: str) -> Money:
    """Debits minus credits on `account`, in currency `code`."""
    minor = sum(
        t.amount.minor * ((t.debit == account) - (t.credit == account))
        for t in transfers
        if t.amount.currency == code
    )
    return Money(minor, code)


_Entry = tuple[LedgerAccount, LedgerAccount, Money, TransferCode]


def _transfers(entries: tuple[_Entry, ...], key: str) -> tuple[Transfer, ...]:
    return tuple(
        Transfer(debit, credit, amount, code, f"{key}:{code}")
        for debit, credit, amount, code in entries
        if amount.minor > 0
    )
