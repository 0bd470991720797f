"""Recomputing the projections from the ledgers behind them, and the digests of what was said."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.ledger import LedgerAccount
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.ledger import AccountBalanceRow, TransferRow
from portal.services.consents import verify_consents
from portal.services.declaring import verify_declarations
from portal.services.verifying_spending import verify_months
from portal.services.verifying_usage import verify_usage


def verify(session: Session, scope: Scope) -> list[str]:
    """One sentence for each projection that differs from its ledger, and for each consent or
    declaration whose words were changed; empty when all agree."""
    return [
        *_receivables(session, scope),
        *_balances(session, scope),
        *verify_usage(session, scope),
        *verify_months(session, scope),
        *verify_consents(session, scope),
        *verify_declarations(session, scope),
    ]


def _receivables(session: Session, scope: Scope) -> list[str]:
    """RECEIVABLE is what open invoices ask for: nothing else sold is neither paid nor carried."""
    owed = _debit_balance(LedgerAccount.RECEIVABLE)
    rows = session.execute(
        select(TransferRow.account_id, owed)
        .where(TransferRow.environment_id == scope.environment_id)
        .group_by(TransferRow.account_id)
        .having(owed != 0)
    )
    found, asked = {row[0]: int(row[1]) for row in rows}, _open_invoices(session, scope)
    return [
        f"account {account}: {found.get(account, 0)} minor units neither paid nor carried,"
        f" and open invoices over {asked.get(account, 0)}"
        for account in sorted(found.keys() | asked.keys())
        if found.get(account, 0) != asked.get(account, 0)
    ]


def _open_invoices(session: Session, scope: Scope) -> dict[int, int]:
    """What open invoices ask for, by account."""
    rows = session.execute(
        select(
            InvoiceRow.account_id,
            func.sum(InvoiceRow.charged_minor - CollectionRow.credited_minor),
        )
        .join(CollectionRow, CollectionRow.invoice_id == InvoiceRow.id)
        .where(
            InvoiceRow.environment_id == scope.environment_id,
            CollectionRow.environment_id == scope.environment_id,
            CollectionRow.status == "open",
        )
        .group_by(InvoiceRow.account_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _balances(session: Session, scope: Scope) -> list[str]:
    found = []
    for row in session.scalars(
        select(AccountBalanceRow).where(AccountBalanceRow.environment_id == scope.environment_id)
    ):
        ledger = session.execute(
            select(
                func.coalesce(-_debit_balance(LedgerAccount.BALANCE), 0),
                func.coalesce(_debit_balance(LedgerAccount.CARRIED), 0),
            ).where(
                TransferRow.environment_id == scope.environment_id,
                TransferRow.account_id == row.account_id,
            )
        ).one()
        held = (
            row.balance_minor + row.balance_reserved_minor,
            row.carried_minor + row.carried_reserved_minor,
        )
        if held != (int(ledger[0]), int(ledger[1])):
            found.append(f"account {row.account_id}: holds {held}, its transfers say {ledger}")
    return found


def _debit_balance(account: LedgerAccount) -> ColumnElement[int]:
    """Debits minus credits on `account`."""
    amount = TransferRow.amount_minor
    return func.sum(
        case((TransferRow.debit == account, amount), else_=0)
        - case((TransferRow.credit == account, amount), else_=0)
    )
