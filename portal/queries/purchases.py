"""One purchase on its way: what it costs, what became of the tries to pay, what went back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.declines import DeclineReason, may_retry
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.payments import Declined
from portal.domain.purchases import Failure, Undeliverable
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    RefundRow,
)
from portal.queries.invoices import InvoiceLine, line_of


class Step(StrEnum):
    """Where a purchase stands, for whoever looks at it."""

    SETTLED = "settled"
    BANK_SILENT = "bank_silent"
    AT_CHECKOUT = "at_checkout"
    AT_BANK = "at_bank"
    TO_PAY = "to_pay"
    ENDED = "ended"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest try. page_url: of the Checkout or of the bank. declined: why it took nothing.

    open_until: until when a Checkout can be paid. card_id: of the saved card that was charged.
    """

    status: str
    page_url: str | None
    open_until: datetime | None
    declined: Declined | None
    card_id: int | None


@dataclass(frozen=True, slots=True)
class Refunding:
    """Money that goes back. finished: it has gone; failed: it has to be returned by hand."""

    amount: Money
    reason: Undeliverable
    finished: bool
    failed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Purchase:
    """charged: what is to be paid for it, frozen since it was accepted."""

    id: int
    instance_id: int
    status: str
    failure: Failure | None
    held_until: datetime
    charged: Money
    lines: tuple[InvoiceLine, ...]
    attempt: Attempt | None
    refund: Refunding | None

    @property
    def step(self) -> Step:
        if self.status == "settled":
            return Step.SETTLED
        if self.status == "failed":
            return Step.REFUNDED if self.refund else Step.ENDED
        status = self.attempt.status if self.attempt else "started"
        by_status = {
            "started": Step.BANK_SILENT,
            "succeeded": Step.BANK_SILENT,
            "open": Step.AT_CHECKOUT,
            "needs_authentication": Step.AT_BANK,
        }
        return by_status.get(status, Step.TO_PAY)


def get_purchase(session: Session, actor: Actor, purchase_id: int) -> Purchase:
    """Raises NotFound for another account's purchase."""
    row = session.get(PurchaseRow, (actor.environment_id, purchase_id), populate_existing=True)
    if row is None or row.account_id != actor.account_id:
        raise NotFound("purchase")
    quote = session.get_one(QuoteRow, (actor.environment_id, row.quote_id))
    lines = select(QuoteLineRow).where(
        QuoteLineRow.environment_id == actor.environment_id, QuoteLineRow.quote_id == quote.id
    )
    found = session.scalars(lines.order_by(QuoteLineRow.position))
    return Purchase(
        id=row.id,
        instance_id=row.instance_id,
        status=row.status,
        failure=Failure(row.failure) if row.failure else None,
        held_until=row.held_until.astimezone(UTC),
        charged=Money(quote.charged_minor, quote.currency),
        lines=tuple(line_of(line, quote.currency) for line in found),
        attempt=_last_attempt(session, row),
        refund=_refund_of(session, row),
    )


def refunds(session: Session, actor: Actor) -> tuple[Refunding, ...]:
    """What went back to the account, or is on its way, newest first."""
    statement = select(RefundRow).where(
        RefundRow.environment_id == actor.environment_id, RefundRow.account_id == actor.account_id
    )
    newest_first = session.scalars(statement.order_by(RefundRow.id.desc()))
    return tuple(_refunding(row) for row in newest_first)


def _last_attempt(session: Session, purchase: PurchaseRow) -> Attempt | None:
    row = session.scalar(
        select(PaymentAttemptRow)
        .where(
            PaymentAttemptRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.purchase_id == purchase.id,
        )
        .order_by(PaymentAttemptRow.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    until = row.params.get("expires_at")
    return Attempt(
        status=row.status,
        page_url=row.page_url,
        open_until=datetime.fromisoformat(until) if until else None,
        declined=_declined(row),
        card_id=row.payment_method_id,
    )


def _declined(row: PaymentAttemptRow) -> Declined | None:
    if row.status != "declined":
        return None
    again = may_retry(row.advice_code, row.decline_code)
    return Declined(DeclineReason(row.reason or DeclineReason.REFUSED), again)


def _refund_of(session: Session, purchase: PurchaseRow) -> Refunding | None:
    row = session.scalar(
        select(RefundRow)
        .join(PaymentAttemptRow, PaymentAttemptRow.id == RefundRow.attempt_id)
        .where(
            RefundRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.purchase_id == purchase.id,
        )
        .order_by(RefundRow.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return _refunding(row) if row else None


def _refunding(row: RefundRow) -> Refunding:
    return Refunding(
        amount=Money(row.amount_minor, row.currency),
        reason=Undeliverable(row.reason),
        finished=row.status == "succeeded",
        failed=row.status == "failed",
        at=row.created_at.astimezone(UTC),
    )
