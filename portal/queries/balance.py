"""The account's balance as members see it: what is there, and what brought and took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.ledger import LedgerAccount
from portal.domain.money import Money
from portal.models.credit_notes import CreditNoteRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import AccountBalanceRow, TransferRow

MOST_ENTRIES = 50


class Origin(StrEnum):
    """What moved the balance."""

    CREDIT_NOTE = "credit_note"
    INVOICE = "invoice"
    PURCHASE = "purchase"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class BalanceEntry:
    """One movement. amount: negative when it paid for something. number: of the credit note or
    invoice that it belongs to; 0 for a refund that could not go out."""

    at: datetime
    amount: Money
    origin: Origin
    number: int


@dataclass(frozen=True, slots=True)
class Balance:
    """free: what the next charge uses. held: waits for purchases that are being paid.

    entries: the latest MOST_ENTRIES, newest first.
    """

    free: Money
    held: Money
    entries: tuple[BalanceEntry, ...]


def balance_of(session: Session, actor: Actor) -> Balance | None:
    """None for an account that never had any."""
    entries = _entries(session, actor)
    row = session.get(
        AccountBalanceRow, (actor.environment_id, actor.account_id), populate_existing=True
    )
    if row is None or not entries:
        return None
    code = row.currency
    free, held = Money(row.balance_minor, code), Money(row.balance_reserved_minor, code)
    return Balance(free, held, entries)


def _entries(session: Session, actor: Actor) -> tuple[BalanceEntry, ...]:
    of = TransferRow
    rows = session.scalars(
        select(of)
        .where(
            of.environment_id == actor.environment_id,
            of.account_id == actor.account_id,
            or_(of.debit == LedgerAccount.BALANCE, of.credit == LedgerAccount.BALANCE),
        )
        .order_by(of.at.desc(), of.id.desc())
        .limit(MOST_ENTRIES)
    ).all()
    numbers = _numbers(session, actor, [_subject(row) for row in rows])
    return tuple(_entry(row, numbers) for row in rows)


def _entry(row: TransferRow, numbers: dict[tuple[Origin, int], int]) -> BalanceEntry:
    sign = 1 if row.credit == LedgerAccount.BALANCE else -1
    origin, row_id = _subject(row)
    amount = Money(sign * row.amount_minor, row.currency)
    return BalanceEntry(row.at.astimezone(UTC), amount, origin, numbers.get((origin, row_id), 0))


def _subject(row: TransferRow) -> tuple[Origin, int]:
    """What the transfer's key names: `credit_note:7:balance_credited`."""
    kind, row_id, _code = row.key.split(":")
    return Origin(kind), int(row_id)


def _numbers(
    session: Session, actor: Actor, subjects: list[tuple[Origin, int]]
) -> dict[tuple[Origin, int], int]:
    """The numbers of credit notes and invoices; a purchase has its invoice's."""
    ids = {origin: [each for kind, each in subjects if kind is origin] for origin in Origin}
    wanted = (
        (Origin.CREDIT_NOTE, CreditNoteRow, CreditNoteRow.id),
        (Origin.INVOICE, InvoiceRow, InvoiceRow.id),
        (Origin.PURCHASE, InvoiceRow, InvoiceRow.purchase_id),
    )
    found = dict[tuple[Origin, int], int]()
    for origin, table, column in wanted:
        mine = select(column, table.number).where(
            table.environment_id == actor.environment_id, column.in_(ids[origin])
        )
        found |= {(origin, row_id): number for row_id, number in session.execute(mine) if row_id}
    return found
