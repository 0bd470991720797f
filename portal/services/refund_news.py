"""What the processor says of refunds: of ours, and of those that somebody made over there."""

from __future__ import annotations

from sqlalchemy import select

from portal.domain.credit_notes import Cause, Division, spread
from portal.domain.errors import Conflict
from portal.domain.ledger import refund_transfer
from portal.domain.money import Money
from portal.domain.periods import BillingNow
from portal.domain.refunds import Correction, RefundNews, RefundStatus
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow, RefundRow
from portal.queries.invoice_money import late_refund
from portal.queries.stored_lines import billed_lines
from portal.services.attempts import amount_of
from portal.services.books import post
from portal.services.credit_notes import issue, lock, propose
from portal.services.refunding import refund_row, write
from portal.services.till import Till


def read_refund(till: Till, reference: str) -> None:
    """Act on what one refund stands at now."""
    _take(till, till.gateway.read_refund(reference))


def read_refunds_of(till: Till, payment_ref: str) -> None:
    """Act on every refund of a payment: an event of the payment does not name them."""
    for news in till.gateway.refunds_of(payment_ref):
        _take(till, news)


def _take(till: Till, news: RefundNews) -> None:
    """Ours is told by its labels, also before its reference is stored; another is booked once.

    Those of other installations on the same account, and of payments that are not ours, are
    left alone. Raises Conflict for one that cannot be booked.
    """
    environment_id = news.labels.get("environment_id")
    if environment_id not in (None, str(till.environment_id)):
        return
    row = _known(till, news)
    if row is not None:
        account_id, refund_id = row.account_id, row.id
        till.session.commit()
        write(till.about(account_id), refund_id, news.stands)
        return
    attempt = _payment(till, news)
    if attempt is not None and news.stands.status is RefundStatus.SUCCEEDED:
        _book(till.about(attempt.account_id), attempt, news)
    till.session.rollback()


def _known(till: Till, news: RefundNews) -> RefundRow | None:
    found = select(RefundRow).where(RefundRow.environment_id == till.environment_id)
    by_reference = till.session.scalar(found.where(RefundRow.reference == news.stands.reference))
    labelled = news.labels.get("refund_id", "")
    if by_reference is not None or not labelled.isdecimal() or "environment_id" not in news.labels:
        return by_reference
    return till.session.scalar(found.where(RefundRow.id == int(labelled)))


def _payment(till: Till, news: RefundNews) -> PaymentAttemptRow | None:
    """The attempt that took what was refunded."""
    return till.session.scalar(
        select(PaymentAttemptRow).where(
            PaymentAttemptRow.environment_id == till.environment_id,
            PaymentAttemptRow.reference == news.payment_ref,
            PaymentAttemptRow.status == "succeeded",
        )
    )


def _book(till: Till, attempt: PaymentAttemptRow, news: RefundNews) -> None:
    """Write down money that went back without us; then commit."""
    invoice = _invoice(till, attempt)
    if late_refund(till.session, attempt) is not None:
        _book_late(till, attempt, news)
    elif invoice is None:
        raise Conflict(f"{news.stands.reference} refunds a payment that has no invoice yet")
    else:
        lock(till, invoice)
        if _known(till, news) is None and not _adopted(till, attempt, news):
            _credit(till, invoice, attempt, news)
    till.session.commit()


def _invoice(till: Till, attempt: PaymentAttemptRow) -> InvoiceRow | None:
    mine = select(InvoiceRow).where(
        InvoiceRow.environment_id == till.environment_id,
        InvoiceRow.id == attempt.invoice_id
        if attempt.invoice_id
        else InvoiceRow.purchase_id == attempt.purchase_id,
    )
    return till.session.scalar(mine)


def _adopted(till: Till, attempt: PaymentAttemptRow, news: RefundNews) -> bool:
    """Whether it is the one that a refund of ours was told of: all had gone back already."""
    row = till.session.scalar(
        select(RefundRow)
        .where(
            RefundRow.environment_id == till.environment_id,
            RefundRow.attempt_id == attempt.id,
            RefundRow.reference.is_(None),
            RefundRow.status == "succeeded",
            RefundRow.amount_minor == news.amount.minor,
        )
        .order_by(RefundRow.id)
        .limit(1)
        .with_for_update()
    )
    if row is None:
        return False
    row.reference = news.stands.reference
    return True


def _book_late(till: Till, attempt: PaymentAttemptRow, news: RefundNews) -> None:
    """Late money that the bank had refused to take back, and that was returned by hand."""
    late = late_refund(till.session, attempt)
    if _adopted(till, attempt, news) or late is None:
        return
    if late.status != "failed" or news.amount != amount_of(attempt):
        raise Conflict(f"{news.stands.reference} refunds late money that is going back already")
    _gone(till, attempt, news, None, till.account_now(attempt.account_id))


def _credit(till: Till, invoice: InvoiceRow, attempt: PaymentAttemptRow, news: RefundNews) -> None:
    """A credit note of as much, over the invoice's lines from the first."""
    lines = billed_lines(till.session, till.scope, invoice.id)
    try:
        given = spread(lines, news.amount)
    except ValueError as error:
        said = f"{news.stands.reference} refunds more than is left of invoice {invoice.number:06d}"
        raise Conflict(said) from error
    zero, at = Money.zero(invoice.currency), till.account_now(attempt.account_id)
    made = propose(till.session, invoice, given, Division(zero, news.amount, zero, zero), attempt)
    note = issue(till, made, Cause.AT_PROCESSOR, "", f"at-processor-{news.stands.reference}", at)
    _gone(till, attempt, news, note.id, at)


def _gone(
    till: Till, attempt: PaymentAttemptRow, news: RefundNews, note_id: int | None, at: BillingNow
) -> None:
    key = f"at-processor-{news.stands.reference}"
    row = refund_row(till, attempt, news.amount, Correction.AT_PROCESSOR, key)
    row.credit_note_id, row.reference = note_id, news.stands.reference
    row.status, row.finished_at = "succeeded", till.wall
    till.session.add(row)
    till.session.flush()
    moved = [refund_transfer(news.amount, f"refund:{row.id}")]
    post(till.session, till.environment_id, attempt.account_id, moved, at)
