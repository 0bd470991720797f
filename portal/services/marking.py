"""What an answer makes of an attempt, inside the transaction that acts on it."""

from __future__ import annotations

from datetime import datetime

from portal.domain.declines import may_retry
from portal.domain.payments import Declined, NeedsAuthentication, Paid, SavedCard
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow
from portal.services import cards
from portal.services.till import Till


def mark_paid(
    till: Till, attempt: PaymentAttemptRow, paid: Paid, card: SavedCard | None
) -> PaymentMethodRow | None:
    """The money is there. card: the one that paid; one that a Checkout saved is returned."""
    attempt.status, attempt.reference = "succeeded", paid.reference
    attempt.finished_at = till.wall
    _note_refusal(till, attempt, None)
    if card is None or attempt.kind != "checkout":
        return None
    kept = cards.keep(till, attempt.account_id, card)
    attempt.payment_method_id = kept.id
    return kept if kept.detached_at is None else None


def mark_refused(
    till: Till, attempt: PaymentAttemptRow, answer: Declined | NeedsAuthentication
) -> None:
    """Nothing was taken. One that needs authentication stays open."""
    attempt.reference = answer.reference
    if isinstance(answer, NeedsAuthentication):
        attempt.status, attempt.page_url = "needs_authentication", answer.url or attempt.page_url
        return
    attempt.status, attempt.reason, attempt.finished_at = "declined", answer.reason, till.wall
    attempt.error_code, attempt.decline_code = answer.code, answer.decline_code
    attempt.advice_code = answer.advice_code
    if not may_retry(answer.advice_code, answer.decline_code):
        _note_refusal(till, attempt, till.wall)


def _note_refusal(till: Till, attempt: PaymentAttemptRow, at: datetime | None) -> None:
    """Whether the bank forbids to try a saved card again. A card that pays is a good one."""
    if attempt.payment_method_id is not None:
        key = (till.environment_id, attempt.payment_method_id)
        till.session.get_one(PaymentMethodRow, key).refused_at = at
