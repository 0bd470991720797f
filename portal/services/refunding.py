"""Giving money back to the card that paid: late money in full, and what credit notes say."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from portal.domain import notices
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.events import EventName
from portal.domain.ledger import (
    Transfer,
    kept_refund,
    refund_transfer,
    returned_refund,
    unearned_payment,
)
from portal.domain.money import Money
from portal.domain.payments import RefundOutcome, Unknown
from portal.domain.periods import BillingNow, WallNow
from portal.domain.purchases import Undeliverable
from portal.domain.refunds import (
    Correction,
    Refund,
    Refunded,
    RefundReason,
    RefundStatus,
    refund_reason,
)
from portal.models.accounts import AccountRow
from portal.models.credit_notes import CreditNoteRow
from portal.models.purchases import PaymentAttemptRow, RefundRow
from portal.queries.accounts import billing_now
from portal.queries.purchases import is_kept
from portal.services import balances, mailing
from portal.services.attempts import KEY_LIFE, amount_of
from portal.services.books import post
from portal.services.recording import record
from portal.services.till import Till

log = structlog.get_logger()
UNFINISHED = ("requested", "pending")


def give_back_later(
    till: Till, attempt: PaymentAttemptRow, why: Undeliverable, at: BillingNow
) -> int:
    """Owe all that `attempt` took, and add its refund; commit, and `send`, are the caller's."""
    amount = amount_of(attempt)
    owed = unearned_payment(amount, f"attempt:{attempt.id}")
    post(till.session, till.environment_id, attempt.account_id, [owed], at)
    row = refund_row(till, attempt, amount, why, f"refund-{attempt.idempotency_key}")
    return _request(till, row, at)


def give_back_credited(
    till: Till, attempt: PaymentAttemptRow, note: CreditNoteRow, at: BillingNow
) -> int:
    """Add the refund of what a credit note sends to the card; commit, and `send`, are the
    caller's."""
    amount, key = Money(note.card_minor, note.currency), f"refund-{note.key}"
    row = refund_row(till, attempt, amount, Correction.CREDITED, key)
    row.credit_note_id = note.id
    return _request(till, row, at)


def refund_row(
    till: Till, attempt: PaymentAttemptRow, amount: Money, why: RefundReason, key: str
) -> RefundRow:
    """A refund of what `attempt` took, not sent and not added yet."""
    return RefundRow(
        environment_id=till.environment_id,
        account_id=attempt.account_id,
        attempt_id=attempt.id,
        idempotency_key=key,
        payment_ref=attempt.reference or "",
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=why,
        status="requested",
        created_at=till.wall,
    )


def _request(till: Till, row: RefundRow, at: BillingNow) -> int:
    till.session.add(row)
    till.session.flush()
    requested, subject = EventName.REFUND_REQUESTED, f"refund:{row.id}"
    record(till.session, till.scope, till.doer, requested, subject, at, reason=row.reason)
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
        labels=_labels(till, row.id),
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
    write(till, refund_id, answer)


def unfinished(till: Till) -> list[int]:
    """Ids of refunds that the processor has not brought to an end, oldest first."""
    statement = select(RefundRow.id).where(
        RefundRow.environment_id == till.environment_id, RefundRow.status.in_(UNFINISHED)
    )
    return list(till.session.scalars(statement.order_by(RefundRow.id)))


def follow_up(till: Till, refund_id: int) -> None:
    """Bring an unfinished refund further: send it again, or ask what became of it."""
    row = till.session.get_one(RefundRow, (till.environment_id, refund_id))
    till, reference = till.about(row.account_id), row.reference
    if row.status == "requested":
        _send_again(till, row)
    elif reference is not None:
        till.session.commit()
        write(till, refund_id, till.gateway.read_refund(reference).stands)


def _send_again(till: Till, row: RefundRow) -> None:
    """Once the processor may have forgotten the key, look first: a part could go back twice."""
    refund_id, payment_ref = row.id, row.payment_ref
    forgotten = till.wall - WallNow(row.created_at) >= KEY_LIFE
    till.session.commit()
    for news in till.gateway.refunds_of(payment_ref) if forgotten else ():
        if news.labels.items() >= _labels(till, refund_id).items():
            write(till, refund_id, news.stands)
            return
    send(till, refund_id)


def _labels(till: Till, refund_id: int) -> dict[str, str]:
    return {"environment_id": str(till.environment_id), "refund_id": str(refund_id)}


def write(till: Till, refund_id: int, answer: Refunded) -> None:
    """Store the answer; money counts as gone back when it succeeded, and only then. Commit.

    A refund that failed stays failed, whatever older news comes. Raises NotFound.
    """
    key = (till.environment_id, refund_id)
    row = till.session.get(RefundRow, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("refund")
    before, account_id = row.status, row.account_id
    if before == "failed" or (before == "succeeded" and answer.status is RefundStatus.PENDING):
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
    amount, key = Money(row.amount_minor, row.currency), f"refund:{row.id}"
    moved = list[Transfer]()
    if row.status == "succeeded":
        moved.append(refund_transfer(amount, key))
    elif before == "succeeded":
        moved.append(returned_refund(amount, key))
    if is_kept(row):
        moved.append(kept_refund(amount, key))
        balances.add(till.session, row.environment_id, row.account_id, row.currency, amount.minor)
    post(till.session, till.environment_id, row.account_id, moved, at)


def _tell(till: Till, row: RefundRow, at: BillingNow) -> None:
    """Mail that the money has gone back, or that it could not.

    What a credit note sends back was told of with it.
    """
    if row.status == "pending" or (row.credit_note_id is not None and row.status != "failed"):
        return
    amount, why = Money(row.amount_minor, row.currency), refund_reason(row.reason)
    failed = row.status == "failed"
    notice = notices.Refunded(row.id, amount, why, failed=failed, at=at, kept=is_kept(row))
    mailing.post(till.session, till.scope, row.account_id, notice)
