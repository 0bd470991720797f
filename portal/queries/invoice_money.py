"""What an invoice stands at: what is still to pay, and what a card paid and still has."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.domain.money import Money
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
