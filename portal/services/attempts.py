"""The tries to be paid for a purchase, and the requests that each of them sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.payments import Charge, Checkout
from portal.domain.periods import WallNow
from portal.domain.purchases import CHECKOUT_LIFE
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow, PurchaseRow


@dataclass(frozen=True, slots=True)
class SavedWay:
    """Charge this card. `card`: a row of the buyer's account."""

    card: PaymentMethodRow


@dataclass(frozen=True, slots=True)
class CheckoutWay:
    """Let the customer type a card on the processor's page."""


Way = SavedWay | CheckoutWay


@dataclass(frozen=True, slots=True)
class Bill:
    """What an attempt asks for. shown_at: the purchase's own page, where its ways lead back."""

    customer_ref: str
    amount: Money
    description: str
    shown_at: str


def start(
    session: Session, purchase: PurchaseRow, way: Way, bill: Bill, wall: WallNow
) -> PaymentAttemptRow:
    """Add the purchase's next attempt, to be committed before anything is asked."""
    last = last_attempt(session, purchase)
    key, card = str(uuid4()), way.card if isinstance(way, SavedWay) else None
    attempt = PaymentAttemptRow(
        environment_id=purchase.environment_id,
        account_id=purchase.account_id,
        purchase_id=purchase.id,
        payment_method_id=card.id if card else None,
        number=last.number + 1 if last else 1,
        kind="charge" if card else "checkout",
        idempotency_key=key,
        amount_minor=bill.amount.minor,
        currency=bill.amount.currency,
        params=_request(purchase, card, bill, key, wall),
        status="started",
        created_at=wall,
    )
    session.add(attempt)
    session.flush()
    return attempt


def _request(
    purchase: PurchaseRow, card: PaymentMethodRow | None, bill: Bill, key: str, wall: WallNow
) -> dict[str, Any]:
    """All that `charge_of` or `checkout_of` needs besides the amount and the key."""
    sent = {
        "customer_ref": bill.customer_ref,
        "description": bill.description,
        "return_url": f"{bill.shown_at}/return",
        "labels": {
            "environment_id": str(purchase.environment_id),
            "account_id": str(purchase.account_id),
            "purchase_id": str(purchase.id),
            "attempt": key,
        },
    }
    if card is not None:
        return sent | {"card_ref": card.stripe_payment_method_id}
    expires_at = (wall + CHECKOUT_LIFE).replace(microsecond=0)
    return sent | {"back_url": bill.shown_at, "expires_at": expires_at.isoformat()}


def charge_of(attempt: PaymentAttemptRow) -> Charge:
    """The charge exactly as it was first sent, so that a resend is the same request."""
    sent = attempt.params
    return Charge(
        key=attempt.idempotency_key,
        customer_ref=sent["customer_ref"],
        card_ref=sent["card_ref"],
        amount=amount_of(attempt),
        description=sent["description"],
        labels=sent["labels"],
    )


def checkout_of(attempt: PaymentAttemptRow) -> Checkout:
    """The Checkout exactly as it was first asked for."""
    sent = attempt.params
    return Checkout(
        key=attempt.idempotency_key,
        customer_ref=sent["customer_ref"],
        amount=amount_of(attempt),
        description=sent["description"],
        labels=sent["labels"],
        return_url=sent["return_url"],
        back_url=sent["back_url"],
        expires_at=datetime.fromisoformat(sent["expires_at"]),
    )


def amount_of(attempt: PaymentAttemptRow) -> Money:
    return Money(attempt.amount_minor, attempt.currency)


def read_purchase(session: Session, scope: Scope, purchase_id: int) -> PurchaseRow:
    """The purchase as it stands in the database now. Raises NotFound."""
    key = (scope.environment_id, purchase_id)
    purchase = session.get(PurchaseRow, key, populate_existing=True)
    if purchase is None:
        raise NotFound("purchase")
    return purchase


def attempts(session: Session, purchase: PurchaseRow) -> list[PaymentAttemptRow]:
    """Every attempt of the purchase as it stands now, oldest first."""
    return list(
        session.scalars(
            select(PaymentAttemptRow)
            .where(
                PaymentAttemptRow.environment_id == purchase.environment_id,
                PaymentAttemptRow.purchase_id == purchase.id,
            )
            .order_by(PaymentAttemptRow.number)
            .execution_options(populate_existing=True)
        )
    )


def last_attempt(session: Session, purchase: PurchaseRow) -> PaymentAttemptRow | None:
    """The latest; None when there was nothing to pay."""
    found = attempts(session, purchase)
    return found[-1] if found else None


def open_attempts(session: Session, purchase: PurchaseRow) -> list[PaymentAttemptRow]:
    """Those that may still bring money."""
    return [attempt for attempt in attempts(session, purchase) if attempt.status in MAY_STILL_TAKE]


def find_by_key(session: Session, scope: Scope, key: str) -> PaymentAttemptRow | None:
    return session.scalar(
        select(PaymentAttemptRow)
        .where(
            PaymentAttemptRow.environment_id == scope.environment_id,
            PaymentAttemptRow.idempotency_key == key,
        )
        .execution_options(populate_existing=True)
    )
