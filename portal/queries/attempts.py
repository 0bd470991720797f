"""The latest try to pay a purchase or an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.domain.declines import DeclineReason, may_retry
from portal.domain.payments import Declined
from portal.models.purchases import PaymentAttemptRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest try. page_url: of the Checkout or of the bank. declined: why it took nothing.

    open_until: until when a Checkout can be paid. card_id: of the saved card that was charged.
    number: from 1 for each purchase or invoice.
    """

    status: str
    page_url: str | None
    open_until: datetime | None
    declined: Declined | None
    card_id: int | None
    number: int = 0


def last_attempt(
    session: Session, environment_id: int, owed: ColumnElement[bool]
) -> Attempt | None:
    """owed: which purchase's or invoice's."""
    row = session.scalar(
        select(PaymentAttemptRow)
        .where(PaymentAttemptRow.environment_id == environment_id, owed)
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
        number=row.number,
    )


def _declined(row: PaymentAttemptRow) -> Declined | None:
    if row.status != "declined":
        return None
    again = may_retry(row.advice_code, row.decline_code)
    return Declined(DeclineReason(row.reason or DeclineReason.REFUSED), again)
