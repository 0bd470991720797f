"""A settled purchase in double entry: whatever it was made of, the books balance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.ledger import (
    LedgerAccount,
    Settlement,
    Transfer,
    TransferCode,
    debit_balance,
    refund_transfer,
    returned_refund,
    settlement_transfers,
    unearned_payment,
)
from portal.domain.money import Money
from tests.unit.samples import money

parts = st.one_of(st.just(0), st.integers(0, 10**6))


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    """sale + tax + carried in, paid by balance, by card and by what is carried on."""
    owed = [draw(parts) for _ in range(3)]
    applied = draw(st.integers(0, sum(owed)))
    charged = draw(st.integers(0, sum(owed) - applied))
    rest = sum(owed) - applied - charged
    return Settlement(*(Money(minor, "usd") for minor in (*owed, applied, charged, rest)))


@given(settlements())
def test_debits_equal_credits_and_nothing_is_left_receivable(settled: Settlement) -> None:
    moved = settlement_transfers(settled, "purchase-1")
    balances = {account: debit_balance(account, moved, "usd") for account in LedgerAccount}
    assert sum(balances.values(), Money.zero("usd")) == Money.zero("usd")
    assert balances == {
        LedgerAccount.RECEIVABLE: Money.zero("usd"),
        LedgerAccount.CLEARING: settled.charged,
        LedgerAccount.REVENUE: -settled.sale,
        LedgerAccount.TAX: -settled.tax,
        LedgerAccount.BALANCE: settled.balance_applied,
        LedgerAccount.CARRIED: settled.carried_out - settled.carried_in,
        LedgerAccount.OWED_BACK: Money.zero("usd"),
    }


def test_money_for_nothing_is_owed_until_it_has_gone_back_and_again_when_it_returns():
    late = Money(3333, "usd")
    moved = [unearned_payment(late, "attempt:1")]
    assert debit_balance(LedgerAccount.OWED_BACK, moved, "usd") == -late
    moved.append(refund_transfer(late, "refund:1"))
    for account in LedgerAccount:
        assert not debit_balance(account, moved, "usd")
    moved.append(returned_refund(late, "refund:1"))
    assert debit_balance(LedgerAccount.OWED_BACK, moved, "usd") == -late
    assert len({transfer.key for transfer in moved}) == 3


@given(settlements())
def test_zero_moves_nothing_and_keys_are_unique(settled: Settlement) -> None:
    moved = settlement_transfers(settled, "purchase-1")
    assert all(one.amount.minor > 0 for one in moved)
    assert len({one.key for one in moved}) == len(moved)
    assert all(one.key == f"purchase-1:{one.code}" for one in moved)


def test_a_transfer_moves_a_positive_amount_between_two_accounts() -> None:
    clearing, revenue = LedgerAccount.CLEARING, LedgerAccount.REVENUE
    for amount in ("0", "-1"):
        with pytest.raises(ValueError, match="positive"):
            Transfer(clearing, revenue, money(amount), TransferCode.SALE, "a")
    with pytest.raises(ValueError, match="two accounts"):
        Transfer(clearing, clearing, money("1"), TransferCode.SALE, "a")


def test_balances_are_kept_per_currency() -> None:
    sale = Transfer(
        LedgerAccount.CLEARING, LedgerAccount.REVENUE, money("5", "eur"), TransferCode.SALE, "a"
    )
    assert debit_balance(LedgerAccount.CLEARING, [sale], "usd") == money("0")
    assert debit_balance(LedgerAccount.CLEARING, [sale], "eur") == money("5", "eur")
