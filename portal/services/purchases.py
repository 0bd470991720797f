"""Buying an add-on: reserve, charge, settle."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.catalog import AddOn
from portal.domain.eligibility import Refusal, refusal, units_left
from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.money import Money, currency
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow, whole_second
from portal.domain.purchases import Failure, time_for_checkout
from portal.domain.quotes import QUOTE_LIFETIME, Quote, Request, quote
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.services.attempts import CheckoutWay, Way
from portal.services.charging import PaymentOutcome, conclude
from portal.services.reserving import described, reserve, start_paying
from portal.services.settlement import let_go
from portal.services.till import Till, till_of
from portal.services.waiting import NoTimeForCheckout, stop_waiting
from portal.services.ways import Paying, customer_of, way_of


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a signed token says was shown: the request, priced at `at`, promising `digest`.

    nonce: makes the purchase happen once. issued_at: when the page was made, by the wall clock.
    shown_due: the amount the button named.
    """

    request: Request
    at: BillingNow
    digest: str
    nonce: str
    issued_at: WallNow
    shown_due: Money


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """Nothing was charged: what was shown no longer holds. `expired`: only the time ran out."""

    expired: bool
    shown_due: Money


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was charged: the add-on cannot be bought now, or not so many of it."""

    refusal: Refusal | None
    most: int | None = None


PurchaseOutcome = PaymentOutcome | QuoteChanged | Refused | NoTimeForCheckout


def offer(state: AccountState, request: Request) -> Quote:
    """The quote of `request` now. Raises NotFound when there is no such add-on for this buyer."""
    add_on = _add_on(state, request)
    return quote(state.buyer(), add_on, request, BillingNow(whole_second(state.now)))


def confirm(
    actor: Actor,
    accepted: Acceptance,
    paying: Paying,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> PurchaseOutcome:
    """Charge what was accepted, once per nonce, and unlock what was bought.

    Two commits with the charge between them: whoever dies there leaves a reserved purchase that
    the webhook, the repeated form or `finish` settles. An earlier purchase of the same add-on
    that still waits for this member is called off first; can it not be, it is the answer.
    Raises Forbidden without billing.update, PaymentsUnavailable with nothing kept.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    earlier = find_by_nonce(session, actor, accepted.nonce)
    if earlier is not None:
        return conclude(till, earlier.id)
    if still_open := stop_waiting(till, actor, accepted.request.add_on):
        return still_open
    way = way_of(session, actor, paying.choice)
    typed = isinstance(way, CheckoutWay) and _is_charged(accepted.shown_due)
    customer = customer_of(till, actor) if typed else None
    reserved = _reserve(till, actor, accepted, _Payment(way, customer, paying))
    if isinstance(reserved, Earlier):
        return conclude(till, reserved.purchase_id)
    if not isinstance(reserved, PurchaseRow):
        return reserved
    return ask_first(till, reserved.id)


def ask_first(till: Till, purchase_id: int) -> PaymentOutcome:
    """Charge what was just reserved. Raises PaymentsUnavailable, and nothing is held any more."""
    try:
        return conclude(till, purchase_id, first=True)
    except PaymentsUnavailable:
        till.session.rollback()
        let_go(till, purchase_id, Failure.STOPPED)
        raise


def finish(
    actor: Actor, purchase_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> PaymentOutcome:
    """Bring a purchase of the member's account on, or say how it stands; safe to repeat.

    Raises NotFound for another account's.
    """
    purchase = session.get(PurchaseRow, (actor.environment_id, purchase_id))
    if purchase is None or purchase.account_id != actor.account_id:
        raise NotFound("purchase")
    return conclude(till_of(actor, session, gateway, wall), purchase_id)


@dataclass(frozen=True, slots=True)
class _Payment:
    """customer: known beforehand where a new card is typed."""

    way: Way
    customer: str | None
    paying: Paying


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another request made the purchase of this acceptance meanwhile."""

    purchase_id: int


def _is_charged(due: Money) -> bool:
    """Smaller amounts are carried, and nothing is asked of the processor."""
    return due.minor >= currency(due.currency).minimum_minor


def find_by_nonce(session: Session, actor: Actor, nonce: str) -> PurchaseRow | None:
    """The purchase this acceptance already made. Raises NotFound when it is another account's."""
    found = session.scalar(
        select(PurchaseRow)
        .join(QuoteRow, QuoteRow.id == PurchaseRow.quote_id)
        .where(
            PurchaseRow.environment_id == actor.environment_id,
            QuoteRow.environment_id == actor.environment_id,
            QuoteRow.nonce == nonce,
        )
    )
    if found is not None and found.account_id != actor.account_id:
        raise NotFound("purchase")
    return found


def _reserve(
    till: Till, actor: Actor, accepted: Acceptance, payment: _Payment
) -> PurchaseRow | PurchaseOutcome | Earlier:
    """Hold what was accepted, if it still holds; then commit.

    The subscription's row lock puts everything that changes a quote in line. Raises Conflict when
    a constraint of the tables refuses what the rules let pass.
    """
    lock_subscription(till.session, actor)
    try:
        outcome = _hold(till, actor, accepted, payment)
        if isinstance(outcome, PurchaseRow):
            till.session.commit()
        else:
            till.session.rollback()
    except IntegrityError as error:
        till.session.rollback()
        raise Conflict("this purchase") from error
    return outcome


def _hold(
    till: Till, actor: Actor, accepted: Acceptance, payment: _Payment
) -> PurchaseRow | PurchaseOutcome | Earlier:
    if earlier := find_by_nonce(till.session, actor, accepted.nonce):  # posted twice at once
        return Earlier(earlier.id)
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    if refused := _refused(actor, state, accepted.request):
        return refused
    fresh = quote(state.buyer(), _add_on(state, accepted.request), accepted.request, accepted.at)
    too_old = till.wall >= accepted.issued_at + QUOTE_LIFETIME
    if too_old or not accepted.at <= state.now < fresh.expires_at:
        return QuoteChanged(expired=True, shown_due=accepted.shown_due)
    if fresh.digest != accepted.digest:
        return QuoteChanged(expired=False, shown_due=accepted.shown_due)
    return _hold_quote(till, actor, state, fresh, accepted.nonce, payment)


def _hold_quote(
    till: Till, actor: Actor, state: AccountState, fresh: Quote, nonce: str, payment: _Payment
) -> PurchaseRow | NoTimeForCheckout:
    typed, over_at = isinstance(payment.way, CheckoutWay), fresh.over_at
    if fresh.charged and typed and over_at and not time_for_checkout(over_at, state.now):
        return NoTimeForCheckout(over_at)
    purchase = reserve(till, actor, state, fresh, nonce)
    if fresh.charged:
        customer = payment.customer or state.account.stripe_customer_id or ""
        shown_at = payment.paying.shown_at(purchase.id)
        what = described(fresh.lines[0].name, fresh.request.quantity)
        start_paying(till, purchase, what, fresh.charged, payment.way, customer, shown_at)
    return purchase


def lock_subscription(session: Session, actor: Actor) -> None:
    session.execute(
        select(SubscriptionRow.id)
        .where(
            SubscriptionRow.environment_id == actor.environment_id,
            SubscriptionRow.account_id == actor.account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
    )


def _refused(actor: Actor, state: AccountState, request: Request) -> Refused | None:
    """Why it cannot be bought now, or not so many of it, before any figure is compared."""
    add_on = _add_on(state, request)
    holding = state.holding(add_on)
    if found := refusal(add_on, state.standing(actor), holding):
        return Refused(found)
    left = units_left(add_on, holding)
    return Refused(None, left) if left is not None and request.quantity > left else None


def _add_on(state: AccountState, request: Request) -> AddOn:
    """Raises NotFound for a lookup key that is not in the catalog."""
    add_on = state.find_add_on(request.add_on)
    if add_on is None:
        raise NotFound("add-on")
    return add_on
