"""Giving money back in full, when what was paid for cannot be given."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from portal.domain import notices
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.events import EventName
from portal.domain.ledger import refund_transfer, returned_refund, unearned_payment
from portal.domain.money import Money
from portal.domain.payments import Refund, Refunded, RefundOutcome, RefundStatus, Unknown
from portal.domain.periods import BillingNow
from portal.domain.purchases import Undeliverable
from portal.models.accounts import AccountRow
from portal.models.purchases import PaymentAttemptRow, RefundRow
from portal.queries.accounts import billing_now
from portal.services import mailing
from portal.services.attempts import amount_of
from portal.services.books import post
from portal.services.recording import record
from portal.services.till import Till

log = structlog.get_logger()
UNFINISHED = ("requested", "pending")


def give_back_later(
    till: Till, attempt: PaymentAttemptRow, why: Undeliverable, at: BillingNow
) -> int:
    """Owe all that `attempt` took, and add its refund; commit, and `send`, are the caller's."""
    owed = unearned_payment(amount_of(attempt), f"attempt:{attempt.id}")
    post(till.session, till.environment_id, attempt.account_id, [owed], at)
    row = RefundRow(
        environment_id=till.environment_id,
        account_id=attempt.account_id,
        attempt_id=attempt.id,
        idempotency_key=f"refund-{attempt.idempotency_key}",
        payment_ref=attempt.reference or "",
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        reason=why,
        status="requested",
        created_at=till.wall,
    )
    till.session.add(row)
    till.session.flush()
    requested = EventName.REFUND_REQUESTED
    record(till.session, till.scope, till.doer, requested, f"refund:{row.id}", at, reason=why)
    return row.id


def send(till: Till, refund_id: int) -> None:
    """Ask the processor for a requested refund, under its one key, and write the answer.

    No clear answer leaves it requested: reconcile asks again.
    """
    row = till.session.get_one(RefundRow, (till.environment_id, refund_id))
    asked = Refund(
        key=row.idempotency_key,
        payment_ref=row.payment_ref,
        amount=Money(row.amount_minor, row.currency),
        labels={"environment_id": str(row.environment_id), "refund_id": str(row.id)},
    )
    till.session.commit()
    try:
        answer: RefundOutcome = till.gateway.refund(asked)
    except PaymentsUnavailable:
        log.exception("refund_not_sent", refund_id=refund_id)
        return
    if isinstance(answer, Unknown):
        log.warning("refund_unanswered", refund_id=refund_id, detail=answer.detail)
        return
    _write(till, refund_id, answer)


def apply_news(till: Till, reference: str) -> None:
    """What became of a refund later, as the processor says now; another's is left alone."""
    row = till.session.scalar(
        select(RefundRow).where(
            RefundRow.environment_id == till.environment_id, RefundRow.reference == reference
        )
    )
    ours = (row.account_id, row.id) if row else None
    till.session.commit()
    if ours is not None:
        account_id, refund_id = ours
        _write(till.about(account_id), refund_id, till.gateway.read_refund(reference))


def unfinished(till: Till) -> list[int]:
    """Ids of refunds that the processor has not brought to an end, oldest first."""
    statement = select(RefundRow.id).where(
        RefundRow.environment_id == till.environment_id, RefundRow.status.in_(UNFINISHED)
    )
    return list(till.session.scalars(statement.order_by(RefundRow.id)))


def follow_up(till: Till, refund_id: int) -> None:
    """Bring an unfinished refund further: send it again, or ask what became of it."""
    row = till.session.get_one(RefundRow, (till.environment_id, refund_id))
    till = till.about(row.account_id)
    if row.status == "requested":
        send(till, refund_id)
    elif row.reference is not None:
        apply_news(till, row.reference)


def _write(till: Till, refund_id: int, answer: Refunded) -> None:
    """Store the answer; money counts as gone back when it succeeded, and only then. Commit."""
    key = (till.environment_id, refund_id)
    row = till.session.get(RefundRow, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("refund")
    before, account_id = row.status, row.account_id
    if before not in UNFINISHED and answer.status is RefundStatus.PENDING:
        till.session.rollback()  # older news than what is known
        return
    row.status, row.failure = answer.status, answer.failure
    row.reference = answer.reference or row.reference
    account = till.session.get_one(AccountRow, (till.environment_id, account_id))
    at = billing_now(account, till.wall)
    if before != row.status:
        row.finished_at = None if answer.status is RefundStatus.PENDING else till.wall
        _book(till, row, before, at)
        told = EventName.REFUND_ANSWERED
        record(till.session, till.scope, till.doer, told, f"refund:{row.id}", at, status=row.status)
        _tell(till, row, at)
    till.session.commit()


def _book(till: Till, row: RefundRow, before: str, at: BillingNow) -> None:
    """The money went, or came back from a bank that would not take it."""
    amount = Money(row.amount_minor, row.currency)
    if row.status == "succeeded":
        moved = [refund_transfer(amount, f"refund:{row.id}")]
        post(till.session, till.environment_id, row.account_id, moved, at)
    elif before == "succeeded":
        moved = [returned_refund(amount, f"refund:{row.id}")]
        post(till.session, till.environment_id, row.account_id, moved, at)


def _tell(till: Till, row: RefundRow, at: BillingNow) -> None:
    """Mail that the money has gone back, or that it could not."""
    if row.status == "pending":
        return
    amount, why = Money(row.amount_minor, row.currency), Undeliverable(row.reason)
    notice = notices.Refunded(row.id, amount, why, failed=row.status == "failed", at=at)
    mailing.post(till.session, till.scope, row.account_id, notice)
