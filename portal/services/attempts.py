"""The tries to be paid what is owed, and the requests that each of them sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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
from portal.models.invoices import InvoiceRow
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow, PurchaseRow

KEY_LIFE = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class SavedWay:
    """Charge this card. `card`: a row of the buyer's account."""

    card: PaymentMethodRow


@dataclass(frozen=True, slots=True)
class CheckoutWay:
    """Let the customer type a card on the processor's page."""


Way = SavedWay | CheckoutWay


@dataclass(frozen=True, slots=True)
class Debt:
    """What attempts pay: a purchase, or an invoice that was issued open."""

    environment_id: int
    account_id: int
    purchase_id: int | None = None
    invoice_id: int | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Ids that come back with every event about a payment of it."""
        said = {"environment_id": self.environment_id, "account_id": self.account_id}
        said |= {"purchase_id": self.purchase_id} if self.purchase_id else {}
        said |= {"invoice_id": self.invoice_id} if self.invoice_id else {}
        return {name: str(value) for name, value in said.items()}


@dataclass(frozen=True, slots=True)
class Bill:
    """What an attempt asks for. shown_at: the page that it is paid on, where its ways lead back.

    Empty when nobody is there: the bank's page is not opened then.
    """

    customer_ref: str
    amount: Money
    description: str
    shown_at: str


def debt_of(row: PurchaseRow | InvoiceRow) -> Debt:
    if isinstance(row, PurchaseRow):
        return Debt(row.environment_id, row.account_id, purchase_id=row.id)
    return Debt(row.environment_id, row.account_id, invoice_id=row.id)


def debt_behind(attempt: PaymentAttemptRow) -> Debt:
    """What an attempt pays."""
    return Debt(attempt.environment_id, attempt.account_id, attempt.purchase_id, attempt.invoice_id)


def start(session: Session, debt: Debt, way: Way, bill: Bill, wall: WallNow) -> PaymentAttemptRow:
    """Add the next attempt, to be committed before anything is asked."""
    last = last_attempt(session, debt)
    key, card = str(uuid4()), way.card if isinstance(way, SavedWay) else None
    attempt = PaymentAttemptRow(
        environment_id=debt.environment_id,
        account_id=debt.account_id,
        purchase_id=debt.purchase_id,
        invoice_id=debt.invoice_id,
        payment_method_id=card.id if card else None,
        number=last.number + 1 if last else 1,
        kind="charge" if card else "checkout",
        idempotency_key=key,
        amount_minor=bill.amount.minor,
        currency=bill.amount.currency,
        params=_request(debt, card, bill, key, wall),
        status="started",
        created_at=wall,
    )
    session.add(attempt)
    session.flush()
    return attempt


def _request(
    debt: Debt, card: PaymentMethodRow | None, bill: Bill, key: str, wall: WallNow
) -> dict[str, Any]:
    """All that `charge_of` or `checkout_of` needs besides the amount and the key."""
    sent = {
        "customer_ref": bill.customer_ref,
        "description": bill.description,
        "return_url": f"{bill.shown_at}/return" if bill.shown_at else "",
        "labels": debt.labels | {"attempt": key},
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


def knows_key(attempt: PaymentAttemptRow, wall: WallNow) -> bool:
    """False once the processor may have forgotten the key: a resend could take money again.

    Source: reference/stripe.md §4.6.
    """
    return wall - WallNow(attempt.created_at) < KEY_LIFE


def amount_of(attempt: PaymentAttemptRow) -> Money:
    return Money(attempt.amount_minor, attempt.currency)


def read_purchase(session: Session, scope: Scope, purchase_id: int) -> PurchaseRow:
    """The purchase as it stands in the database now. Raises NotFound."""
    key = (scope.environment_id, purchase_id)
    purchase = session.get(PurchaseRow, key, populate_existing=True)
    if purchase is None:
        raise NotFound("purchase")
    return purchase


def lock_attempt(session: Session, scope: Scope, attempt_id: int) -> PaymentAttemptRow:
    """The attempt under its row lock, as it stands then and not as it was read before."""
    return session.get_one(
        PaymentAttemptRow,
        (scope.environment_id, attempt_id),
        with_for_update=True,
        populate_existing=True,
    )


def attempts(session: Session, debt: Debt) -> list[PaymentAttemptRow]:
    """Every attempt to pay it as it stands now, oldest first."""
    return list(
        session.scalars(
            select(PaymentAttemptRow)
            .where(
                PaymentAttemptRow.environment_id == debt.environment_id,
                PaymentAttemptRow.purchase_id == debt.purchase_id
                if debt.purchase_id
                else PaymentAttemptRow.invoice_id == debt.invoice_id,
            )
            .order_by(PaymentAttemptRow.number)
            .execution_options(populate_existing=True)
        )
    )


def last_attempt(session: Session, debt: Debt) -> PaymentAttemptRow | None:
    """The latest; None when there was nothing to pay."""
    found = attempts(session, debt)
    return found[-1] if found else None


def open_attempts(session: Session, debt: Debt) -> list[PaymentAttemptRow]:
    """Those that may still bring money."""
    return [attempt for attempt in attempts(session, debt) if attempt.status in MAY_STILL_TAKE]


def find_by_key(session: Session, scope: Scope, key: str) -> PaymentAttemptRow | None:
    return session.scalar(
        select(PaymentAttemptRow)
        .where(
            PaymentAttemptRow.environment_id == scope.environment_id,
            PaymentAttemptRow.idempotency_key == key,
        )
        .execution_options(populate_existing=True)
    )
