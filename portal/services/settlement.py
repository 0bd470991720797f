"""The one idempotent end of every payment: page, webhook, repeated form and reconcile come here."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy.orm import Session

from portal.domain.eligibility import units_left
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.ledger import settlement_transfers, unearned_payment
from portal.domain.payments import Declined, NeedsAuthentication, Paid, SavedCard
from portal.domain.periods import BillingNow
from portal.domain.purchases import Delivery, Failure, Undeliverable, undeliverable
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow, PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import AccountState, Instance, account_state, billing_now
from portal.services import balances, cards
from portal.services.attempts import amount_of, attempts, open_attempts
from portal.services.books import post
from portal.services.capacity import open_purchased
from portal.services.invoicing import Sale, issue_invoice, over_at, read_sale, settlement_of
from portal.services.recording import record
from portal.services.refunding import request_refund
from portal.services.till import Till


def settle(
    till: Till,
    purchase_id: int,
    attempt_id: int | None = None,
    paid: Paid | None = None,
    card: SavedCard | None = None,
) -> int | None:
    """Unlock what was bought and post its money, once; then commit.

    attempt_id, paid: None when nothing had to be charged. card: the one that paid, where the
    customer typed it. A second call for the same attempt, from anywhere, changes nothing.
    What can no longer be given is not: the money is owed back, and the refund that has to be
    sent is returned. Raises NotFound for a purchase of another scope.
    """
    sale = _lock(till, purchase_id, attempt_id)
    done = (
        sale.attempt.status == "succeeded" if sale.attempt else sale.purchase.status != "reserved"
    )
    if done:
        till.session.rollback()
        return None
    if sale.attempt and paid:
        _mark_paid(till, sale, sale.attempt, paid, card)
    state = account_state(till.session, till.scope, sale.purchase.account_id, till.wall)
    why = undeliverable(_delivery(till, sale, state), state.now)
    refund_id = None
    if why is None:
        _give(till, sale, state)
    else:
        refund_id = _refuse_to_give(till, sale, why, state.now)
    till.session.commit()
    return refund_id


def refuse(till: Till, attempt_id: int, answer: Declined | NeedsAuthentication) -> None:
    """Record that an attempt took nothing; the purchase waits for another. Then commit."""
    attempt = till.session.get_one(
        PaymentAttemptRow, (till.environment_id, attempt_id), with_for_update=True
    )
    if attempt.status not in MAY_STILL_TAKE:
        till.session.rollback()
        return
    attempt.reference = answer.reference
    if isinstance(answer, NeedsAuthentication):
        attempt.status, attempt.page_url = "needs_authentication", answer.url or attempt.page_url
    else:
        attempt.status, attempt.reason, attempt.finished_at = "declined", answer.reason, till.wall
        attempt.error_code, attempt.decline_code = answer.code, answer.decline_code
        attempt.advice_code = answer.advice_code
        account = till.session.get_one(AccountRow, (till.environment_id, attempt.account_id))
        subject, at = f"purchase:{attempt.purchase_id}", billing_now(account, till.wall)
        record(till.session, till.scope, till.doer, EventName.PURCHASE_DECLINED, subject, at)
    till.session.commit()


def let_go(till: Till, purchase_id: int, why: Failure) -> bool:
    """End a purchase that nothing can pay any more and free what it held; then commit.

    False, and nothing changed, while an attempt may still bring money or when it has ended.
    """
    sale = _lock(till, purchase_id, None)
    if sale.purchase.status != "reserved" or open_attempts(till.session, sale.purchase):
        till.session.rollback()
        return False
    account = till.session.get_one(AccountRow, (till.environment_id, sale.purchase.account_id))
    _end(till, sale, why, billing_now(account, till.wall))
    till.session.commit()
    return True


def _lock(till: Till, purchase_id: int, attempt_id: int | None) -> Sale:
    """The sale under its purchase's row lock, as it stands now."""
    return read_sale(till.session, till.scope, purchase_id, attempt_id)


def _is_done(sale: Sale) -> bool:
    if sale.attempt is None:
        return sale.purchase.status != "reserved"
    return sale.attempt.status == "succeeded"


def _mark_paid(
    till: Till, sale: Sale, attempt: PaymentAttemptRow, paid: Paid, card: SavedCard | None
) -> None:
    attempt.status, attempt.reference = "succeeded", paid.reference
    attempt.finished_at = till.wall
    if card is None or attempt.kind != "checkout":
        return
    kept = cards.keep(till, sale.purchase.account_id, card)
    attempt.payment_method_id = kept.id
    if kept.detached_at is None and _default_was_refused(till, sale.purchase):
        cards.prefer(till, kept)


def _default_was_refused(till: Till, purchase: PurchaseRow) -> bool:
    """Whether the card that renewals are charged to was tried for this purchase in vain."""
    tried = [
        a.payment_method_id
        for a in attempts(till.session, purchase)
        if a.payment_method_id and a.status in ("declined", "cancelled")
    ]
    found = (till.session.get(PaymentMethodRow, (till.environment_id, each)) for each in tried)
    return any(card is not None and card.is_default for card in found)


def _delivery(till: Till, sale: Sale, state: AccountState) -> Delivery:
    """What giving it depends on. A purchase that was let go has to find its place again."""
    instance = _instance(state, sale)
    room, free = None, True
    if sale.purchase.status == "failed":
        _lock_subscription(till.session, instance_row(till, sale))
        room = units_left(instance.add_on, state.holding(instance.add_on))
        free = balances.can_hold(till.session, sale.purchase)
    return Delivery(
        settled=sale.purchase.status == "settled",
        subscription_lives=state.subscription is not None
        and state.subscription.id == sale.quote.subscription_id,
        over_at=over_at(till.session, sale),
        quantity=instance.quantity,
        units_left=room,
        balance_free=free,
    )


def _give(till: Till, sale: Sale, state: AccountState) -> None:
    session, purchase, at = till.session, sale.purchase, state.now
    if purchase.status == "failed":
        balances.hold(session, purchase, sale.quote.currency)
    purchase.status, purchase.settled_at, purchase.failure = "settled", at, ""
    balances.take(session, purchase, sale.quote.carried_out_minor)
    key = f"purchase:{purchase.id}"
    transfers = settlement_transfers(settlement_of(sale), key)
    post(session, till.environment_id, purchase.account_id, transfers, at)
    issue_invoice(session, till.scope, sale, till.doer, at)
    row = instance_row(till, sale)
    row.status = InstanceStatus.ACTIVE
    open_purchased(session, till.scope, state, _instance(state, sale))
    record(
        session, till.scope, till.doer, EventName.PURCHASE_SETTLED, key, at,
        reference=sale.attempt.reference if sale.attempt else None,
    )  # fmt: skip
    starts_at = row.starts_at.astimezone(UTC)
    started = EventName.INSTANCE_STARTED
    record(session, till.scope, till.doer, started, f"instance:{row.id}", starts_at)


def _refuse_to_give(till: Till, sale: Sale, why: Undeliverable, at: BillingNow) -> int | None:
    """Let go of the purchase and owe the money back; the refund's id, where money came."""
    if sale.purchase.status == "reserved":
        _end(till, sale, Failure.UNDELIVERABLE, at)
    elif sale.purchase.status == "failed":
        sale.purchase.failure = Failure.UNDELIVERABLE
    if sale.attempt is None:
        return None
    amount, key = amount_of(sale.attempt), f"attempt:{sale.attempt.id}"
    owed = [unearned_payment(amount, key)]
    post(till.session, till.environment_id, sale.purchase.account_id, owed, at)
    subject = f"purchase:{sale.purchase.id}"
    late = EventName.PAYMENT_LATE
    record(till.session, till.scope, till.doer, late, subject, at, reason=why)
    return request_refund(till, sale.attempt, why, at)


def _end(till: Till, sale: Sale, why: Failure, at: BillingNow) -> None:
    sale.purchase.status, sale.purchase.failure = "failed", why
    balances.give_back(till.session, sale.purchase)
    instance_row(till, sale).status = InstanceStatus.FAILED
    subject = f"purchase:{sale.purchase.id}"
    record(till.session, till.scope, till.doer, EventName.PURCHASE_ENDED, subject, at, reason=why)


def instance_row(till: Till, sale: Sale) -> InstanceRow:
    key = (till.environment_id, sale.purchase.instance_id)
    return till.session.get_one(InstanceRow, key)


def _instance(state: AccountState, sale: Sale) -> Instance:
    return next(i for i in state.instances if i.id == sale.purchase.instance_id)


def _lock_subscription(session: Session, instance: InstanceRow) -> None:
    """In line with those who reserve, so that the last unit goes to one of them."""
    key = (instance.environment_id, instance.subscription_id)
    session.get_one(SubscriptionRow, key, with_for_update=True)
