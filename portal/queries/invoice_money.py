"""What an invoice stands at: what is still to pay, and what a card paid and still has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.domain.money import Money
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow, RefundRow


@dataclass(frozen=True, slots=True)
class InvoiceMoney:
    """on_card: what `attempt` took for the invoice, less what went back or is about to."""

    to_pay: Money
    on_card: Money
    attempt: PaymentAttemptRow | None


def invoice_money(session: Session, invoice: InvoiceRow) -> InvoiceMoney:
    """As it stands in the database now."""
    attempt, code = _payment(session, invoice), invoice.currency
    return InvoiceMoney(
        to_pay=Money(_to_pay(session, invoice), code),
        on_card=Money(_on_card(session, attempt) if attempt else 0, code),
        attempt=attempt,
    )


@dataclass(frozen=True, slots=True)
class Payment:
    """What paid an invoice. at: by the account's clock. card_last4: empty where none is known."""

    at: datetime
    amount: Money
    card_brand: str
    card_last4: str


def find_payment(session: Session, invoice: InvoiceRow) -> Payment | None:
    """What paid an invoice that was issued open; None while it is not paid."""
    key = (invoice.environment_id, invoice.id)
    row = session.get(CollectionRow, key, populate_existing=True)
    if row is None or row.paid_at is None:
        return None
    attempt = _payment(session, invoice)
    if attempt is None:
        return None
    card = session.get(PaymentMethodRow, (row.environment_id, attempt.payment_method_id or 0))
    return Payment(
        at=row.paid_at.astimezone(UTC),
        amount=Money(attempt.amount_minor, attempt.currency),
        card_brand=card.brand if card else "",
        card_last4=card.last4 if card else "",
    )


def late_refund(session: Session, attempt: PaymentAttemptRow) -> RefundRow | None:
    """The refund of an attempt whose money came for what could not be given."""
    return session.scalar(
        _refunds(attempt)
        .where(RefundRow.idempotency_key == f"refund-{attempt.idempotency_key}")
        .execution_options(populate_existing=True)
    )


def _to_pay(session: Session, invoice: InvoiceRow) -> int:
    key = (invoice.environment_id, invoice.id)
    row = session.get(CollectionRow, key, populate_existing=True)
    if row is None or row.status != "open":
        return 0
    return invoice.charged_minor - row.credited_minor


def _payment(session: Session, invoice: InvoiceRow) -> PaymentAttemptRow | None:
    """The attempt that paid it; one that came too late for its purchase paid nothing."""
    paid = select(PaymentAttemptRow).where(
        PaymentAttemptRow.environment_id == invoice.environment_id,
        PaymentAttemptRow.purchase_id == invoice.purchase_id
        if invoice.purchase_id
        else PaymentAttemptRow.invoice_id == invoice.id,
        PaymentAttemptRow.status == "succeeded",
    )
    found = session.scalars(
        paid.order_by(PaymentAttemptRow.number).execution_options(populate_existing=True)
    )
    return next((each for each in found.all() if late_refund(session, each) is None), None)


def _on_card(session: Session, attempt: PaymentAttemptRow) -> int:
    gone = (
        _refunds(attempt)
        .where(RefundRow.status != "failed")
        .with_only_columns(func.coalesce(func.sum(RefundRow.amount_minor), 0))
    )
    return attempt.amount_minor - int(session.scalar(gone) or 0)


def _refunds(attempt: PaymentAttemptRow) -> Select[RefundRow]:
    return select(RefundRow).where(
        RefundRow.environment_id == attempt.environment_id, RefundRow.attempt_id == attempt.id
    )
