"""The account's credit and carried cents: what is free, and what open purchases hold."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.models.invoices import InvoiceRow
from portal.models.ledger import AccountBalanceRow
from portal.models.purchases import PurchaseRow


def hold(session: Session, purchase: PurchaseRow, code: str) -> None:
    """Put what the purchase uses out of reach of others; commit is the caller's."""
    _ensure_row(session, purchase.environment_id, purchase.account_id, code)
    balance, carried = purchase.balance_reserved_minor, purchase.carried_reserved_minor
    _move(session, purchase, -balance, -carried, balance, carried)


def can_hold(session: Session, purchase: PurchaseRow) -> bool:
    """Whether what the purchase counted with is free again; keeps the row locked."""
    key = (purchase.environment_id, purchase.account_id)
    row = session.get(AccountBalanceRow, key, with_for_update=True, populate_existing=True)
    balance, carried = (row.balance_minor, row.carried_minor) if row else (0, 0)
    return balance >= purchase.balance_reserved_minor and carried >= purchase.carried_reserved_minor


def take(
    session: Session, purchase: PurchaseRow, carried_out_minor: int, credited_minor: int = 0
) -> None:
    """Use what was held for good; carry forward what is left unpaid, keep what is credited."""
    balance, carried = purchase.balance_reserved_minor, purchase.carried_reserved_minor
    _move(session, purchase, credited_minor, carried_out_minor, -balance, -carried)


def spend(session: Session, invoice: InvoiceRow, carried_in: int, carried_out: int) -> None:
    """Use credit and carried cents for an invoice at once, and carry forward what it leaves."""
    _ensure_row(session, invoice.environment_id, invoice.account_id, invoice.currency)
    row = AccountBalanceRow
    session.execute(
        update(row)
        .where(row.environment_id == invoice.environment_id, row.account_id == invoice.account_id)
        .values(
            balance_minor=row.balance_minor - invoice.balance_applied_minor,
            carried_minor=row.carried_minor - carried_in + carried_out,
        )
    )


def add(
    session: Session,
    environment_id: int,
    account_id: int,
    code: str,
    balance: int,
    carried: int = 0,
) -> None:
    """Let the account have more credit, or more cents to pay with its next bill."""
    _ensure_row(session, environment_id, account_id, code)
    row = AccountBalanceRow
    session.execute(
        update(row)
        .where(row.environment_id == environment_id, row.account_id == account_id)
        .values(
            balance_minor=row.balance_minor + balance, carried_minor=row.carried_minor + carried
        )
    )


def give_back(session: Session, purchase: PurchaseRow) -> None:
    """Undo `hold`."""
    balance, carried = purchase.balance_reserved_minor, purchase.carried_reserved_minor
    _move(session, purchase, balance, carried, -balance, -carried)


def _move(
    session: Session,
    purchase: PurchaseRow,
    balance: int,
    carried: int,
    balance_reserved: int,
    carried_reserved: int,
) -> None:
    """Add to each of the four figures; the table refuses any that would fall below zero."""
    row = AccountBalanceRow
    session.execute(
        update(row)
        .where(row.environment_id == purchase.environment_id, row.account_id == purchase.account_id)
        .values(
            balance_minor=row.balance_minor + balance,
            carried_minor=row.carried_minor + carried,
            balance_reserved_minor=row.balance_reserved_minor + balance_reserved,
            carried_reserved_minor=row.carried_reserved_minor + carried_reserved,
        )
    )


def _ensure_row(session: Session, environment_id: int, account_id: int, code: str) -> None:
    session.execute(
        insert(AccountBalanceRow)
        .values(
            environment_id=environment_id,
            account_id=account_id,
            currency=code,
            balance_minor=0,
            carried_minor=0,
            balance_reserved_minor=0,
            carried_reserved_minor=0,
        )
        .on_conflict_do_nothing()
    )
