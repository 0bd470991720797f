"""From an accepted quote to its payment: the same for add-ons, more of one, and plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.legal import Words
from portal.domain.money import Money, currency
from portal.domain.periods import BillingNow, WallNow
from portal.domain.purchases import Failure, time_for_checkout
from portal.domain.quotes import QUOTE_LIFETIME
from portal.domain.spending import PassesCeiling
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState
from portal.services.attempts import CheckoutWay, Way
from portal.services.charging import PaymentOutcome, conclude
from portal.services.coming_back import lock_to_begin
from portal.services.consents import keep_consent
from portal.services.reserving import start_paying
from portal.services.settlement import let_go
from portal.services.spending import Passed
from portal.services.till import Till
from portal.services.waiting import NoTimeForCheckout, stop_waiting
from portal.services.ways import Paying, customer_of, way_of

R = TypeVar("R")
"""What is asked for."""

Other = TypeVar("Other")
"""What may come of it besides a payment."""


@dataclass(frozen=True, slots=True)
class Acceptance(Generic[R]):
    """What a signed token says was shown: the request, priced at `at`, promising `digest`.

    nonce: makes the purchase happen once. issued_at: when the page was made, by the wall clock.
    shown_due: the amount the button named. agreed: its words; None where no page was shown.
    """

    request: R
    at: BillingNow
    digest: str
    nonce: str
    issued_at: WallNow
    shown_due: Money
    agreed: Words | None = None


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """Nothing was charged: what was shown no longer holds. `expired`: only the time ran out."""

    expired: bool
    shown_due: Money


@dataclass(frozen=True, slots=True)
class Payment:
    """How it is paid. customer: known beforehand where a new card is typed."""

    way: Way
    customer: str
    paying: Paying


class Quoted(Protocol):
    """A quote of any kind."""

    @property
    def digest(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


def accept(
    till: Till,
    actor: Actor,
    accepted: Acceptance[R],
    paying: Paying,
    add_on: str | None,
    hold: Callable[[Payment], PurchaseRow | Other],
) -> PaymentOutcome | PassesCeiling | Other:
    """Hold what was accepted and charge it, once per nonce.

    add_on: its lookup key, None for a plan. hold: adds the purchase under the subscription's row
    lock, or those of `lock_to_begin`; whatever else it gives is the answer, and is kept only where
    `hold` commits it.
    Two commits with the charge between them: whoever dies there leaves a reserved purchase that
    the webhook, the repeated form or `finish` settles. An earlier purchase of the same that still
    waits for this member is called off first; can it not be, it is the answer.
    Raises PaymentsUnavailable with nothing kept, and Conflict when a constraint of the tables
    refuses what the rules let pass.
    """
    earlier = _find_by_nonce(till.session, actor, accepted.nonce)
    if earlier is not None:
        return conclude(till, earlier)
    if still_open := stop_waiting(till, actor, add_on):
        return still_open
    way = way_of(till.session, actor, paying.choice)
    typed = isinstance(way, CheckoutWay) and _is_charged(accepted.shown_due)
    customer = customer_of(till, actor) if typed else ""
    if lock_subscription(till.session, actor) is None:
        lock_to_begin(till.session, actor.scope, actor.account_id)
    if earlier := _find_by_nonce(till.session, actor, accepted.nonce):  # posted twice at once
        till.session.rollback()
        return conclude(till, earlier)
    reserved = _reserve(till, actor, accepted.agreed, hold, Payment(way, customer, paying))
    return ask_first(till, reserved) if isinstance(reserved, int) else reserved


def changed_since(
    accepted: Acceptance[R], fresh: Quoted, now: BillingNow, wall: WallNow
) -> QuoteChanged | None:
    """Why `fresh`, the quote of the same request at the same instant, is not what was accepted."""
    too_old = wall >= accepted.issued_at + QUOTE_LIFETIME
    if too_old or not accepted.at <= now < fresh.expires_at:
        return QuoteChanged(expired=True, shown_due=accepted.shown_due)
    if fresh.digest != accepted.digest:
        return QuoteChanged(expired=False, shown_due=accepted.shown_due)
    return None


def too_late_for(
    payment: Payment, amount: Money, over_at: datetime | None, now: BillingNow
) -> NoTimeForCheckout | None:
    """Why a card cannot be typed for what is over at `over_at`; None when it can be paid so."""
    typed = isinstance(payment.way, CheckoutWay)
    if amount and typed and over_at and not time_for_checkout(over_at, now):
        return NoTimeForCheckout(over_at)
    return None


def ask_to_pay(
    till: Till, state: AccountState, purchase: PurchaseRow, what: str, amount: Money,
    payment: Payment,
) -> None:  # fmt: skip
    """Add the first attempt, where something is charged; `what` stands on the card's statement."""
    if not amount:
        return
    customer = payment.customer or state.account.stripe_customer_id or ""
    shown_at = payment.paying.shown_at(purchase.id)
    start_paying(till, purchase, what, amount, payment.way, customer, shown_at)


def lock_subscription(session: Session, actor: Actor) -> SubscriptionRow | None:
    """The account's live one; its lock puts everything that changes a quote in line."""
    return lock_live(session, actor.scope, actor.account_id)


def lock_live(session: Session, scope: Scope, account_id: int) -> SubscriptionRow | None:
    """The same of an account that nobody of its members acts for."""
    return session.scalar(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _reserve(
    till: Till,
    actor: Actor,
    agreed: Words | None,
    hold: Callable[[Payment], PurchaseRow | Other],
    payment: Payment,
) -> int | PassesCeiling | Other:
    """The id of the purchase that is held, committed with what was agreed to."""
    try:
        held = hold(payment)
        if not isinstance(held, PurchaseRow):
            till.session.rollback()
            return held
        purchase_id = held.id
        keep_consent(till.session, actor, f"purchase:{purchase_id}", agreed, till.wall)
        till.session.commit()
    except Passed as stopped:
        till.session.rollback()
        return stopped.by
    except IntegrityError as error:
        till.session.rollback()
        raise Conflict("this purchase") from error
    return purchase_id


def ask_first(till: Till, purchase_id: int) -> PaymentOutcome:
    """Charge what was just reserved. Raises PaymentsUnavailable, and nothing is held any more."""
    try:
        return conclude(till, purchase_id, first=True)
    except PaymentsUnavailable:
        till.session.rollback()
        let_go(till, purchase_id, Failure.STOPPED)
        raise


def _is_charged(due: Money) -> bool:
    """Smaller amounts are carried, and nothing is asked of the processor."""
    return due.minor >= currency(due.currency).minimum_minor


def _find_by_nonce(session: Session, actor: Actor, nonce: str) -> int | None:
    """The purchase this acceptance already made. Raises NotFound when it is another account's."""
    found = session.execute(
        select(PurchaseRow.id, PurchaseRow.account_id)
        .join(QuoteRow, QuoteRow.id == PurchaseRow.quote_id)
        .where(
            PurchaseRow.environment_id == actor.environment_id,
            QuoteRow.environment_id == actor.environment_id,
            QuoteRow.nonce == nonce,
        )
    ).first()
    if found is None:
        return None
    if found.account_id != actor.account_id:
        raise NotFound("purchase")
    return int(found.id)
