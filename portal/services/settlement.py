"""The one idempotent end of every payment: page, webhook, repeated form and reconcile come here."""

from __future__ import annotations

from portal.domain.eligibility import is_allowed, units_left
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.ledger import credit_transfers, settlement_transfers
from portal.domain.payments import Paid, SavedCard
from portal.domain.periods import BillingNow
from portal.domain.purchases import Delivery, Failure, Undeliverable, undeliverable
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.by_the_clock import plans_by
from portal.queries.sales import begins
from portal.queries.stored_lines import lines_by_id
from portal.queries.subscriptions import Instance
from portal.services import balances, cards, recharge_news, spending, telling
from portal.services.attempts import attempts, debt_of, open_attempts
from portal.services.books import post
from portal.services.coming_back import begin_paid, has_begun_otherwise, lock_to_begin
from portal.services.due import look_no_later
from portal.services.invoicing import (
    Sale,
    credit_of,
    issue_invoice,
    over_at,
    read_sale,
    settlement_of,
)
from portal.services.marking import mark_paid
from portal.services.raising import is_otherwise, raise_now
from portal.services.recording import record
from portal.services.refunding import give_back_later
from portal.services.starting import begin
from portal.services.switching import has_moved_on, switch_now
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
    if _is_done(sale):
        till.session.rollback()
        return None
    if sale.attempt and paid:
        _mark_paid(till, sale, sale.attempt, paid, card)
    _lock_subscription(till, sale)
    state = account_state(till.session, till.scope, sale.purchase.account_id, till.wall)
    why = undeliverable(_delivery(till, sale, state), state.now)
    refund_id = None
    if why is None:
        _give(till, sale, state)
    else:
        refund_id = _refuse_to_give(till, sale, why, state.now)
    till.session.commit()
    return refund_id


def let_go(till: Till, purchase_id: int, why: Failure) -> bool:
    """End a purchase that nothing can pay any more and free what it held; then commit.

    False, and nothing changed, while an attempt may still bring money or when it has ended.
    """
    sale = _lock(till, purchase_id, None)
    if sale.purchase.status != "reserved" or open_attempts(till.session, debt_of(sale.purchase)):
        till.session.rollback()
        return False
    _end(till, sale, why, till.account_now(sale.purchase.account_id))
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
    kept = mark_paid(till, attempt, paid, card)
    if kept is not None and _default_was_refused(till, sale.purchase):
        cards.prefer(till, kept)


def _default_was_refused(till: Till, purchase: PurchaseRow) -> bool:
    """Whether the card that renewals are charged to was tried for this purchase in vain."""
    tried = [
        a.payment_method_id
        for a in attempts(till.session, debt_of(purchase))
        if a.payment_method_id and a.status in ("declined", "cancelled")
    ]
    found = (till.session.get(PaymentMethodRow, (till.environment_id, each)) for each in tried)
    return any(card is not None and card.is_default for card in found)


def _delivery(till: Till, sale: Sale, state: AccountState) -> Delivery:
    """What giving it depends on. A purchase that was let go has to find its place again."""
    instance = _instance(state, sale)
    room, free, limit_free = None, True, True
    if sale.purchase.status == "failed":
        if instance is not None:
            room = units_left(instance.add_on, state.holding(instance.add_on))
        free = balances.can_hold(till.session, sale.purchase)
        limit_free = spending.can_reserve(till, sale.purchase)
    return Delivery(
        settled=sale.purchase.status == "settled",
        subscription_lives=begins(sale.quote)
        or (state.subscription is not None and state.subscription.id == sale.quote.subscription_id),
        over_at=over_at(till.session, sale),
        quantity=_bought_units(sale, instance),
        units_left=room,
        balance_free=free,
        moved_on=_moved_on(till, sale, state) or _is_given_back(till, sale),
        limit_free=limit_free,
    )


def _is_given_back(till: Till, sale: Sale) -> bool:
    """Whether a line that the sale credits has less left by now: a credit note came first."""
    credits = [line for line in sale.lines if line.credited_line_id is not None]
    by_id = lines_by_id(till.session, till.scope, {line.credited_line_id or 0 for line in credits})
    left = {line.id: (line.kept.minor, line.tax_left.minor) for line in by_id.values()}
    return any(
        left[line.credited_line_id or 0][line.kind == "tax"] < -line.amount_minor
        for line in credits
    )


def _bought_units(sale: Sale, instance: Instance | None) -> int:
    if sale.purchase.kind == "quantity":
        return int(sale.quote.promise["added"])
    return instance.quantity if instance else 1


def _moved_on(till: Till, sale: Sale, state: AccountState) -> bool:
    """Whether what a change was quoted on is something else by now."""
    match sale.purchase.kind:
        case "plan" if begins(sale.quote):
            return has_begun_otherwise(sale, state)
        case "plan":
            return has_moved_on(till, sale, state)
        case "quantity":
            return is_otherwise(till, sale)
        case _:
            return not _has_its_plan(sale, state)


def _has_its_plan(sale: Sale, state: AccountState) -> bool:
    """Whether the plan that has come since the quote, its renewal run or not, allows the add-on."""
    instance, plans = _instance(state, sale), plans_by(state, state.now)
    if instance is None or not plans:
        return True
    plan, _, since = plans[-1]
    return since <= sale.quote.quoted_at or is_allowed(instance.add_on, plan.lookup_key)


def _give(till: Till, sale: Sale, state: AccountState) -> None:
    session, purchase, at = till.session, sale.purchase, state.now
    if purchase.status == "failed":
        balances.hold(session, purchase, sale.quote.currency)
        spending.again(till, purchase)
    purchase.status, purchase.settled_at, purchase.failure = "settled", at, ""
    balances.take(session, purchase, sale.quote.carried_out_minor, sale.quote.credited_minor)
    spending.spend(till, purchase)
    key, credit = f"purchase:{purchase.id}", credit_of(sale)
    moved = settlement_transfers(settlement_of(sale), key)
    moved += credit_transfers(credit.sale, credit.tax, credit.to_balance, key)
    post(session, till.environment_id, purchase.account_id, moved, at)
    if any(line.amount_minor for line in sale.lines):
        issue_invoice(session, till.scope, sale, till.doer, at)
    instance = _instance(state, sale)
    if begins(sale.quote):
        begin_paid(till, sale, state)
    elif instance is None:
        switch_now(till, sale, state)
    elif purchase.kind == "quantity":
        raise_now(till, sale, state, instance)
    else:
        _start(till, sale, state, instance)
    record(
        session, till.scope, till.doer, EventName.PURCHASE_SETTLED, key, at,
        reference=sale.attempt.reference if sale.attempt else None,
    )  # fmt: skip
    telling.bought(till, purchase)
    recharge_news.bought(till, purchase)


def _start(till: Till, sale: Sale, state: AccountState, instance: Instance) -> None:
    """Begin what was bought, or wait for its start."""
    row, starts_at = instance_row(till, sale), instance.span.starts_at
    if row.billed_until_at is not None:
        look_no_later(till.session, row, row.billed_until_at)
    if starts_at <= state.now:
        begin(till, row, state, instance)
        return
    row.status = InstanceStatus.SCHEDULED
    look_no_later(till.session, row, starts_at)
    scheduled = EventName.INSTANCE_SCHEDULED
    at = {"starts_at": starts_at.isoformat()}
    record(till.session, till.scope, till.doer, scheduled, f"instance:{row.id}", state.now, **at)


def _refuse_to_give(till: Till, sale: Sale, why: Undeliverable, at: BillingNow) -> int | None:
    """Let go of the purchase and owe the money back; the refund's id, where money came."""
    if sale.purchase.status == "reserved":
        _end(till, sale, Failure.UNDELIVERABLE, at)
    elif sale.purchase.status == "failed":
        sale.purchase.failure = Failure.UNDELIVERABLE
    if sale.attempt is None:
        return None
    subject = f"purchase:{sale.purchase.id}"
    late = EventName.PAYMENT_LATE
    record(till.session, till.scope, till.doer, late, subject, at, reason=why)
    return give_back_later(till, sale.attempt, why, at)


def _end(till: Till, sale: Sale, why: Failure, at: BillingNow) -> None:
    sale.purchase.status, sale.purchase.failure = "failed", why
    balances.give_back(till.session, sale.purchase)
    spending.let_go(till, sale.purchase)
    recharge_news.let_go(till, sale.purchase)
    if sale.purchase.kind == "add_on":
        instance_row(till, sale).status = InstanceStatus.FAILED
    subject = f"purchase:{sale.purchase.id}"
    record(till.session, till.scope, till.doer, EventName.PURCHASE_ENDED, subject, at, reason=why)
    if why is Failure.LAPSED:
        telling.lapsed(till, sale.purchase)


def instance_row(till: Till, sale: Sale) -> InstanceRow:
    key = (till.environment_id, sale.purchase.instance_id)
    return till.session.get_one(InstanceRow, key)


def _instance(state: AccountState, sale: Sale) -> Instance | None:
    """What was bought; None for a plan."""
    if sale.purchase.instance_id is None:
        return None
    return next(i for i in state.instances if i.id == sale.purchase.instance_id)


def _lock_subscription(till: Till, sale: Sale) -> None:
    """In line with those who reserve and bill, and before any balance is touched, as they do."""
    if begins(sale.quote):
        lock_to_begin(till.session, till.scope, sale.purchase.account_id)
        return
    key = (till.environment_id, sale.quote.subscription_id)
    till.session.get(SubscriptionRow, key, with_for_update=True, populate_existing=True)
