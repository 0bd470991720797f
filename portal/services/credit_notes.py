"""Issuing a credit note: its number, its lines, and its money in the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.credit_notes import (
    Cause,
    Credit,
    Destination,
    Division,
    credit_in,
    divided,
)
from portal.domain.errors import Conflict
from portal.domain.events import EventName
from portal.domain.ledger import credit_note_transfers
from portal.domain.lines import QuoteLine
from portal.domain.periods import BillingNow
from portal.models.accounts import PaymentMethodRow
from portal.models.credit_notes import CreditNoteCounterRow, CreditNoteLineRow, CreditNoteRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, QuoteRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.invoice_money import invoice_money
from portal.queries.sales import sold_to
from portal.services import balances, spending, telling_credits
from portal.services.attempts import debt_of, open_attempts
from portal.services.books import post
from portal.services.charging import close
from portal.services.collecting import restate
from portal.services.invoicing import said
from portal.services.numbering import next_number
from portal.services.recording import record
from portal.services.till import Till


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a credit note would say. attempt: what paid the invoice, where a card did."""

    invoice: InvoiceRow
    lines: tuple[QuoteLine, ...]
    credit: Credit
    to: Division
    attempt: PaymentAttemptRow | None
    card: PaymentMethodRow | None


def proposal(
    session: Session, invoice: InvoiceRow, lines: Sequence[QuoteLine], to: Destination
) -> Proposal:
    """What these credit lines come to as the invoice stands now."""
    credit, money = credit_in(lines, invoice.currency), invoice_money(session, invoice)
    where = divided(credit.total, money.to_pay, money.on_card, to)
    return propose(session, invoice, lines, where, money.attempt)


def propose(
    session: Session,
    invoice: InvoiceRow,
    lines: Sequence[QuoteLine],
    to: Division,
    attempt: PaymentAttemptRow | None,
) -> Proposal:
    """The same where it is known where the money goes."""
    card = None
    if attempt is not None and attempt.payment_method_id is not None:
        key = (invoice.environment_id, attempt.payment_method_id)
        card = session.get(PaymentMethodRow, key)
    credit = credit_in(lines, invoice.currency)
    return Proposal(invoice, tuple(lines), credit, to, attempt, card)


def clear(till: Till, invoice: InvoiceRow) -> None:
    """Call off what may still pay an open invoice. Raises Conflict when that cannot be done."""
    if invoice.subscription_id is not None and not close(till, debt_of(invoice)):
        raise Conflict(f"a payment of invoice {invoice.number:06d} is under way; try again later")


def lock(till: Till, invoice: InvoiceRow) -> None:
    """In line with whatever else changes the subscription, or pays the invoice.

    Raises Conflict while a payment is under way.
    """
    session, environment_id = till.session, till.environment_id
    subscription_id = (
        invoice.subscription_id
        or session.scalars(
            select(sold_to())
            .join(PurchaseRow, PurchaseRow.quote_id == QuoteRow.id)
            .where(
                QuoteRow.environment_id == environment_id,
                PurchaseRow.environment_id == environment_id,
                PurchaseRow.id == invoice.purchase_id,
            )
        ).one()
    )
    key = (environment_id, subscription_id)
    session.get(SubscriptionRow, key, with_for_update=True, populate_existing=True)
    owed = (environment_id, invoice.id)
    session.get(CollectionRow, owed, with_for_update=True, populate_existing=True)
    if invoice.subscription_id is not None and open_attempts(session, debt_of(invoice)):
        session.rollback()
        raise Conflict(f"a payment of invoice {invoice.number:06d} is under way; try again later")


def find_by_key(session: Session, scope: Scope, key: str) -> CreditNoteRow | None:
    return session.scalar(
        select(CreditNoteRow).where(
            CreditNoteRow.environment_id == scope.environment_id, CreditNoteRow.key == key
        )
    )


def issue(
    till: Till, made: Proposal, cause: Cause, reason: str, key: str, at: BillingNow
) -> CreditNoteRow:
    """Add the note under the next number, post its money, and tell; commit is the caller's, who
    holds the locks. What goes to the card is owed until a refund has taken it there.
    """
    session, invoice = till.session, made.invoice
    note = _row(till, made, cause, reason, key, at)
    session.add(note)
    session.flush()
    session.add_all(
        CreditNoteLineRow(
            environment_id=note.environment_id, credit_note_id=note.id, **said(position, line)
        )
        for position, line in enumerate(made.lines)
    )
    subject = f"credit_note:{note.id}"
    moved = credit_note_transfers(made.credit, made.to, subject)
    post(session, note.environment_id, note.account_id, moved, at)
    balances.add(
        session, note.environment_id, note.account_id, note.currency,
        note.balance_minor, note.carried_out_minor,
    )  # fmt: skip
    told = EventName.CREDIT_NOTE_ISSUED
    record(session, till.scope, till.doer, told, subject, at, invoice=invoice.id, reason=reason)
    if note.off_invoice_minor:
        _take_off(till, note, at)
    if note.card_minor and invoice.purchase_id is not None:
        spending.returned(till, invoice.purchase_id, made.to.to_card)
    telling_credits.credited(till, note, invoice.number, made.lines)
    return note


def _row(
    till: Till, made: Proposal, cause: Cause, reason: str, key: str, at: datetime
) -> CreditNoteRow:
    card = made.card if made.to.to_card else None
    return CreditNoteRow(
        environment_id=till.environment_id,
        account_id=made.invoice.account_id,
        invoice_id=made.invoice.id,
        number=next_number(till.session, till.scope, CreditNoteCounterRow),
        key=key,
        cause=cause,
        reason=reason,
        currency=made.invoice.currency,
        total_minor=made.credit.total.minor,
        tax_minor=made.credit.tax.minor,
        off_invoice_minor=made.to.off_invoice.minor,
        card_minor=made.to.to_card.minor,
        balance_minor=made.to.to_balance.minor,
        carried_out_minor=made.to.carried_out.minor,
        card_brand=card.brand if card else "",
        card_last4=card.last4 if card else "",
        issued_at=at,
    )


def _take_off(till: Till, note: CreditNoteRow, at: BillingNow) -> None:
    """Let less be paid of an open invoice; with nothing left, the account goes on."""
    row = till.session.get_one(CollectionRow, (note.environment_id, note.invoice_id))
    invoice = till.session.get_one(InvoiceRow, (note.environment_id, note.invoice_id))
    row.credited_minor += note.off_invoice_minor + note.carried_out_minor
    if row.credited_minor == invoice.charged_minor:
        row.status = "credited"
    restate(till, row.subscription_id, at)
