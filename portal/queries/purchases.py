"""One purchase on its way: what it costs, what became of the tries to pay, what went back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.purchases import Failure
from portal.domain.refunds import DISPUTED, RefundReason, refund_reason
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    RefundRow,
)
from portal.queries.attempts import Attempt, last_attempt
from portal.queries.invoices import InvoiceLine, line_of
from portal.queries.sales import begins


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
class Refunding:
    """Money that goes back. finished: it has gone; failed: it has to be returned by hand, unless
    it was kept on the balance."""

    amount: Money
    reason: RefundReason
    finished: bool
    failed: bool
    at: datetime
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Purchase:
    """charged: what is to be paid for it, frozen since it was accepted.

    kind: as in the table. plan_name, plan_key: of a plan, else empty. quoted_at: by the
    account's clock. added, quantity: of more units, and how many there are with them; else 0.
    begins: a plan where there was none any more.
    """

    id: int
    kind: str
    instance_id: int
    plan_name: str
    plan_key: str
    status: str
    failure: Failure | None
    held_until: datetime
    charged: Money
    lines: tuple[InvoiceLine, ...]
    attempt: Attempt | None
    refund: Refunding | None
    quoted_at: datetime
    added: int = 0
    quantity: int = 0
    begins: bool = False

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
        kind=row.kind,
        instance_id=row.instance_id or 0,
        plan_name=quote.promise.get("name", ""),
        plan_key=quote.promise.get("plan", "") if row.kind == "plan" else "",
        status=row.status,
        failure=Failure(row.failure) if row.failure else None,
        held_until=row.held_until.astimezone(UTC),
        charged=Money(quote.charged_minor, quote.currency),
        lines=tuple(line_of(line, quote.currency) for line in found),
        attempt=last_attempt(
            session, actor.environment_id, PaymentAttemptRow.purchase_id == row.id
        ),
        refund=_refund_of(session, row),
        quoted_at=quote.quoted_at.astimezone(UTC),
        added=quote.promise["added"] if row.kind == "quantity" else 0,
        quantity=quote.promise["quantity"] if row.kind == "quantity" else 0,
        begins=begins(quote),
    )


def refunds(session: Session, actor: Actor) -> tuple[Refunding, ...]:
    """Late money that went back to the account, or is on its way, newest first."""
    statement = select(RefundRow).where(
        RefundRow.environment_id == actor.environment_id,
        RefundRow.account_id == actor.account_id,
        RefundRow.credit_note_id.is_(None),
    )
    newest_first = session.scalars(statement.order_by(RefundRow.id.desc()))
    return tuple(refunding_of(row) for row in newest_first)


def _refund_of(session: Session, purchase: PurchaseRow) -> Refunding | None:
    row = session.scalar(
        select(RefundRow)
        .join(PaymentAttemptRow, PaymentAttemptRow.id == RefundRow.attempt_id)
        .where(
            RefundRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.environment_id == purchase.environment_id,
            PaymentAttemptRow.purchase_id == purchase.id,
            RefundRow.credit_note_id.is_(None),
        )
        .order_by(RefundRow.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return refunding_of(row) if row else None


def is_kept(row: RefundRow) -> bool:
    """Whether the money stayed with us and is on the balance; a disputed payment goes back by the
    bank."""
    credited = row.credit_note_id is not None
    return row.status == "failed" and credited and row.failure not in DISPUTED


def refunding_of(row: RefundRow) -> Refunding:
    return Refunding(
        amount=Money(row.amount_minor, row.currency),
        reason=refund_reason(row.reason),
        finished=row.status == "succeeded",
        failed=row.status == "failed",
        at=row.created_at.astimezone(UTC),
        kept=is_kept(row),
    )
