"""A member pays an open invoice: with a saved card, another one, or on the bank's page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.errors import NotFound
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.services.attempts import (
    Bill,
    CheckoutWay,
    Debt,
    Way,
    debt_of,
    last_attempt,
    open_attempts,
    start,
)
from portal.services.charging import ask, close
from portal.services.collecting import left_to_pay
from portal.services.consents import keep_consent
from portal.services.till import Till, till_of
from portal.services.ways import Paying, customer_of, way_of


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """Nothing is open on it any more."""


@dataclass(frozen=True, slots=True)
class AtCheckout:
    """The invoice is paid at `url`, a page of the processor's."""

    url: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Not paid; the invoice's page says what the last attempt came to."""


InvoicePayment = InvoicePaid | AtCheckout | StillOpen


def pay(
    actor: Actor, invoice_id: int, paying: Paying, *, session: Session, gateway: PaymentGateway,
    wall: WallNow,
) -> InvoicePayment:  # fmt: skip
    """Pay what is open, once, and restore what was stopped for it.

    Earlier attempts are called off first; an open Checkout is gone on with. Pressed again, or on
    an older page, it starts no attempt beside or after a newer one than was shown. Raises Forbidden
    without billing.update, NotFound for another account's or no open invoice, Conflict for a card
    that is not there any more, PaymentsUnavailable.
    """
    actor.require(Permission.BILLING_UPDATE)
    till, invoice = till_of(actor, session, gateway, wall), _mine(session, actor, invoice_id)
    debt, way = debt_of(invoice), way_of(session, actor, paying.choice)
    if paying.seen is None:
        paying = replace(paying, seen=_newest(till, debt))
    stands = _bring_on(till, debt)
    if isinstance(stands, InvoicePaid):
        return stands
    if isinstance(stands, AtCheckout) and isinstance(way, CheckoutWay):
        return stands
    customer = customer_of(till, actor)
    if not close(till, debt):
        return _standing(till, debt)
    _start(till, actor, debt, way, customer, paying)
    return _bring_on(till, debt, first=True)


def finish(
    actor: Actor, invoice_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> InvoicePayment:
    """Ask how the last attempt went; safe to repeat. Raises NotFound for another account's."""
    invoice = _mine(session, actor, invoice_id)
    return _bring_on(till_of(actor, session, gateway, wall), debt_of(invoice))


def _start(till: Till, actor: Actor, debt: Debt, way: Way, customer: str, paying: Paying) -> None:
    """Add the next attempt under the collection's row lock, unless somebody else just did."""
    collection = till.session.get_one(
        CollectionRow,
        (till.environment_id, debt.invoice_id),
        with_for_update=True,
        populate_existing=True,
    )
    stale = paying.seen is not None and _newest(till, debt) > paying.seen
    if collection.status == "open" and not stale and not open_attempts(till.session, debt):
        invoice = till.session.get_one(InvoiceRow, (till.environment_id, debt.invoice_id))
        amount = left_to_pay(invoice, collection)
        name, shown_at = f"Invoice {invoice.number:06d}", paying.shown_at(invoice.number)
        start(till.session, debt, way, Bill(customer, amount, name, shown_at), till.wall)
        keep_consent(till.session, actor, f"invoice:{invoice.id}", paying.agreed, till.wall)
    till.session.commit()


def _newest(till: Till, debt: Debt) -> int:
    """Number of the last attempt; 0 for none."""
    attempt = last_attempt(till.session, debt)
    return attempt.number if attempt is not None else 0


def _bring_on(till: Till, debt: Debt, *, first: bool = False) -> InvoicePayment:
    attempt = last_attempt(till.session, debt)
    if attempt is not None and attempt.finished_at is None:
        ask(till, attempt, first=first)
    return _standing(till, debt)


def _standing(till: Till, debt: Debt) -> InvoicePayment:
    key = (till.environment_id, debt.invoice_id)
    collection = till.session.get(CollectionRow, key, populate_existing=True)
    if collection is None or collection.status != "open":
        return InvoicePaid()
    attempt = last_attempt(till.session, debt)
    if attempt is not None and attempt.status == "open" and attempt.page_url:
        return AtCheckout(attempt.page_url)
    return StillOpen()


def _mine(session: Session, actor: Actor, invoice_id: int) -> InvoiceRow:
    row = session.get(InvoiceRow, (actor.environment_id, invoice_id))
    if row is None or row.account_id != actor.account_id:
        raise NotFound("invoice")
    return row
