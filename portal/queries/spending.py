"""What an account has spent and reserved this month, and its ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.money import Money
from portal.domain.periods import BillingNow
from portal.domain.spending import Mode, PassesCeiling, month_of, next_month, passes, this_month
from portal.models.invoices import InvoiceRow
from portal.models.spending import SpendCeilingRow, SpendMonthRow
from portal.queries.accounts import Account, AccountState

WHOLE_ACCOUNT = 0
"""Where a policy's id stands in `spend_months`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One month's sums, tax included."""

    spent: Money
    reserved: Money

    @property
    def both(self) -> Money:
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The month as its ceiling sees it. billed: by renewals, which it shows and never stops."""

    mode: Mode
    amount: Money
    counted: Counted
    billed: Money
    resets_at: datetime

    @property
    def left(self) -> Money:
        return Money(max(self.amount.minor - self.counted.both.minor, 0), self.amount.currency)

    def passed_by(self, wanted: Money) -> PassesCeiling | None:
        """Whether `wanted` would pass it, if anybody minds."""
        if self.mode is Mode.OFF:
            return None
        return passes(self.amount, self.counted.both, wanted)


def ceiling_of(session: Session, environment_id: int, state: AccountState) -> Ceiling:
    """The account's ceiling now; off where none was ever set."""
    account = state.account
    row = session.get(SpendCeilingRow, (environment_id, account.id), populate_existing=True)
    month = month_of(state.now, account.zone)
    return Ceiling(
        mode=Mode(row.mode) if row else Mode.OFF,
        amount=Money(row.amount_minor if row else 0, account.currency),
        counted=counted(session, environment_id, account, WHOLE_ACCOUNT, month),
        billed=_billed(session, environment_id, account, state.now),
        resets_at=next_month(state.now, account.zone),
    )


def counted(
    session: Session, environment_id: int, account: Account, policy_id: int, month: date
) -> Counted:
    """What one policy, or with WHOLE_ACCOUNT everything, comes to in a month."""
    key = (environment_id, account.id, policy_id, month)
    row = session.get(SpendMonthRow, key, populate_existing=True)
    spent, reserved = (row.spent_minor, row.reserved_minor) if row else (0, 0)
    return Counted(Money(spent, account.currency), Money(reserved, account.currency))


def spent_this_year(
    session: Session, environment_id: int, account: Account, policy_id: int, now: datetime
) -> Money:
    """What one policy has spent since the year began in the account's zone."""
    month = month_of(now, account.zone)
    row = SpendMonthRow
    spent = session.scalar(
        select(func.coalesce(func.sum(row.spent_minor), 0)).where(
            row.environment_id == environment_id,
            row.account_id == account.id,
            row.policy_id == policy_id,
            row.month.between(date(month.year, 1, 1), month),
        )
    )
    return Money(int(spent or 0), account.currency)


def _billed(session: Session, environment_id: int, account: Account, now: BillingNow) -> Money:
    """Sum of the renewals that were invoiced in the present month."""
    row = InvoiceRow
    minor = session.scalar(
        select(func.coalesce(func.sum(row.charged_minor), 0)).where(
            row.environment_id == environment_id,
            row.account_id == account.id,
            row.due_at >= this_month(now, account.zone),
            row.due_at < next_month(now, account.zone),
        )
    )
    return Money(int(minor or 0), account.currency)
