"""Open invoices: paid once, or not; and what the subscription is while they are not."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain import dunning
from portal.domain.declines import may_retry
from portal.domain.dunning import Unpaid
from portal.domain.events import EventName
from portal.domain.instances import SubscriptionStatus
from portal.domain.ledger import invoice_payment, overpayment
from portal.domain.money import Money
from portal.domain.payments import Paid, SavedCard
from portal.domain.periods import BillingNow
from portal.domain.purchases import Undeliverable
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import balances, recharge_news, telling, telling_standing
from portal.services.attempts import Debt, amount_of
from portal.services.books import post
from portal.services.marking import mark_paid
from portal.services.recording import record
from portal.services.refunding import give_back_later
from portal.services.till import Till

_TOLD = {
    SubscriptionStatus.PAST_DUE: EventName.SUBSCRIPTION_PAST_DUE,
    SubscriptionStatus.SUSPENDED: EventName.SUBSCRIPTION_SUSPENDED,
    SubscriptionStatus.ACTIVE: EventName.SUBSCRIPTION_RESTORED,
}


def collect(
    till: Till, debt: Debt, attempt_id: int, paid: Paid, card: SavedCard | None
) -> int | None:
    """Note that an open invoice is paid, once, and restore what was stopped for it; then commit.

    Paid twice, the second payment is owed back: the refund to send is returned.
    """
    session, environment_id = till.session, till.environment_id
    row = _lock(till, debt.invoice_id)
    attempt = session.get_one(
        PaymentAttemptRow, (environment_id, attempt_id), populate_existing=True
    )
    if attempt.status == "succeeded":
        session.rollback()
        return None
    at = till.account_now(debt.account_id)
    mark_paid(till, attempt, paid, card)
    refund_id = None
    if row.status != "open":
        refund_id = give_back_later(till, attempt, Undeliverable.PAID_TWICE, at)
    else:
        _book(till, row, amount_of(attempt), at)
        told, subject = EventName.INVOICE_PAID, f"invoice:{debt.invoice_id}"
        record(session, till.scope, till.doer, told, subject, at, reference=paid.reference)
        restate(till, row.subscription_id, at)
        invoice, charged = invoice_of(session, row), amount_of(attempt)
        telling.renewed(till, invoice, charged, recovered=row.failed_at is not None)
    session.commit()
    return refund_id


def _book(till: Till, row: CollectionRow, paid: Money, at: BillingNow) -> None:
    """Note what was paid; beyond what was left to pay it is the customer's, on the balance."""
    beyond = paid - left_to_pay(invoice_of(till.session, row), row)
    row.status, row.paid_at = "paid", at
    key = f"invoice:{row.invoice_id}"
    moved = [invoice_payment(paid, key)]
    if beyond.minor > 0:
        moved.append(overpayment(beyond, key))
        balances.add(
            till.session, row.environment_id, row.account_id, beyond.currency, beyond.minor
        )
    post(till.session, till.environment_id, row.account_id, moved, at)


def note_refusal(till: Till, attempt: PaymentAttemptRow) -> None:
    """An attempt at an open invoice took nothing; commit is the caller's.

    The first failure starts the days that `dunning` counts, and the subscription is past due.
    """
    row = _lock(till, attempt.invoice_id)
    if row.status != "open":
        return
    at = till.account_now(attempt.account_id)
    if not may_retry(attempt.advice_code, attempt.decline_code) and attempt.payment_method_id:
        card = till.session.get_one(
            PaymentMethodRow, (till.environment_id, attempt.payment_method_id)
        )
        row.refused_cards = sorted({*row.refused_cards, card.fingerprint})
    fail(till, row, at, attempt.reason or attempt.status)


def _lock(till: Till, invoice_id: int | None) -> CollectionRow:
    """The open invoice under its row lock, its subscription's first: renewal does it so."""
    key = (till.environment_id, invoice_id)
    found = till.session.get_one(CollectionRow, key)
    subscription = (till.environment_id, found.subscription_id)
    till.session.get_one(SubscriptionRow, subscription, with_for_update=True)
    return till.session.get_one(CollectionRow, key, with_for_update=True, populate_existing=True)


def fail(till: Till, row: CollectionRow, at: BillingNow, reason: str) -> None:
    """An open invoice was not paid at `at`; commit is the caller's."""
    row.failed_at = row.failed_at or at
    told, subject = EventName.INVOICE_PAYMENT_FAILED, f"invoice:{row.invoice_id}"
    record(till.session, till.scope, till.doer, told, subject, at, reason=reason)
    restate(till, row.subscription_id, at)
    subscription = (till.environment_id, row.subscription_id)
    unpaid = open_invoices(till.session, till.session.get_one(SubscriptionRow, subscription))
    telling.failed(till, row, unpaid, reason)


def restate(till: Till, subscription_id: int, at: BillingNow) -> None:
    """Bring the subscription's status, and when it is looked at next, in line with its invoices.

    One that was suspended and has paid all goes on from `at`; commit is the caller's.
    Source: product.md §6 (renewal).
    """
    key = (till.environment_id, subscription_id)
    row = till.session.get_one(SubscriptionRow, key, with_for_update=True, populate_existing=True)
    before = SubscriptionStatus(row.status)
    zone = till.session.get_one(AccountRow, (till.environment_id, row.account_id)).zone
    unpaid = open_invoices(till.session, row)
    now = dunning.status_after(before, unpaid, zone, at)
    if unpaid or now is not before:
        row.next_due_at = min(row.next_due_at, at)
    if now is before:
        return
    row.status = now
    if before is SubscriptionStatus.SUSPENDED:
        row.resumed_at = at
    told = _TOLD.get(now)
    if told is not None:
        record(till.session, till.scope, till.doer, told, f"subscription:{row.id}", at)
    if now is SubscriptionStatus.ACTIVE:
        recharge_news.restored(till, row.account_id)
    telling_standing.restated(till, row, before, at)


def open_invoices(session: Session, subscription: SubscriptionRow) -> tuple[Unpaid, ...]:
    """The invoices of a subscription whose charge has failed and that are not paid yet."""
    session.flush()
    rows = session.scalars(
        select(CollectionRow)
        .where(
            CollectionRow.environment_id == subscription.environment_id,
            CollectionRow.subscription_id == subscription.id,
            CollectionRow.status == "open",
            CollectionRow.failed_at.is_not(None),
        )
        .order_by(CollectionRow.invoice_id)
    )
    return tuple(
        Unpaid(row.invoice_id, row.failed_at, row.retries, frozenset(row.refused_cards))
        for row in rows
        if row.failed_at is not None
    )


def left_to_pay(invoice: InvoiceRow, row: CollectionRow) -> Money:
    """What an open invoice asks for, less what credit notes took off it."""
    return Money(invoice.charged_minor - row.credited_minor, invoice.currency)


def invoice_of(session: Session, row: CollectionRow) -> InvoiceRow:
    return session.get_one(InvoiceRow, (row.environment_id, row.invoice_id))
