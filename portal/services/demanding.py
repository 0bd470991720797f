"""Asking for the money of a renewal: its open invoice, the charge, and the retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.domain.dunning import Step, StepKind
from portal.domain.periods import BillingNow
from portal.models.accounts import AccountRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.overdue import untried
from portal.services.attempts import Bill as Demand
from portal.services.attempts import (
    SavedWay,
    debt_behind,
    debt_of,
    lock_attempt,
    open_attempts,
    start,
)
from portal.services.collecting import fail, invoice_of, left_to_pay, restate
from portal.services.till import Till
from portal.services.ways import card_by_itself


@dataclass(frozen=True, slots=True)
class StartedCharge:
    """An attempt to be asked for once its step is stored."""

    attempt_id: int
    account_id: int
    as_of: BillingNow


def demand(
    till: Till, row: SubscriptionRow, invoice: InvoiceRow, at: datetime
) -> StartedCharge | None:
    """Open the invoice and start its charge; without a card it has failed already."""
    collection = CollectionRow(
        environment_id=till.environment_id,
        invoice_id=invoice.id,
        account_id=row.account_id,
        subscription_id=row.id,
        status="open",
        refused_cards=[],
    )
    till.session.add(collection)
    till.session.flush()
    return _charge(till, row, collection, at)


def try_again(till: Till, row: SubscriptionRow, step: Step) -> StartedCharge | None:
    """A retry, or the end of all retries."""
    at = step.at
    if step.kind is StepKind.SUSPEND:
        restate(till, row.id, BillingNow(at))
        row.next_due_at = at  # whatever is left to come is found in the next look
        return None
    key = (till.environment_id, step.invoice_id)
    collection = till.session.get_one(
        CollectionRow, key, with_for_update=True, populate_existing=True
    )
    collection.retries = step.number
    row.next_due_at = at
    charges = step.charges and not _is_unanswered(till, collection)
    return _charge(till, row, collection, at) if charges else None


def demand_anew(till: Till, attempt: PaymentAttemptRow) -> StartedCharge | None:
    """Give up a charge that never reached the processor, and start another in its place.

    Only once the processor has neither its key nor a payment of it. Commit is the caller's.
    """
    row, collection = _locked(till, attempt.invoice_id)
    lost = lock_attempt(till.session, till.scope, attempt.id)
    if lost.status != "started":
        return None
    lost.status, lost.finished_at = "expired", till.wall
    if collection.status != "open" or open_attempts(till.session, debt_behind(lost)):
        return None
    return _charge(till, row, collection, till.account_now(row.account_id))


def demand_of_new_card(till: Till, invoice_id: int) -> StartedCharge | None:
    """Charge an overdue invoice to a default card that was not tried for it; commit is the
    caller's. None where that is not so any more, or another charge is under way."""
    row, collection = _locked(till, invoice_id)
    under_way = open_attempts(till.session, debt_of(invoice_of(till.session, collection)))
    if under_way or invoice_id not in untried(till.session, till.scope, row.account_id):
        return None
    return _charge(till, row, collection, till.account_now(row.account_id))


def _locked(till: Till, invoice_id: int | None) -> tuple[SubscriptionRow, CollectionRow]:
    """The subscription and the collection of its invoice, locked in this order."""
    key = (till.environment_id, invoice_id)
    found = till.session.get_one(CollectionRow, key)
    row = till.session.get_one(
        SubscriptionRow, (till.environment_id, found.subscription_id), with_for_update=True
    )
    collection = till.session.get_one(
        CollectionRow, key, with_for_update=True, populate_existing=True
    )
    return row, collection


def _is_unanswered(till: Till, collection: CollectionRow) -> bool:
    """Whether a charge has no answer yet: reconcile asks for it, and no other goes beside it."""
    debt = debt_of(invoice_of(till.session, collection))
    return any(each.status == "started" for each in open_attempts(till.session, debt))


def _charge(
    till: Till, row: SubscriptionRow, collection: CollectionRow, at: datetime
) -> StartedCharge | None:
    """Start an attempt with the default card, where it may be tried."""
    card = card_by_itself(till.session, row)
    account = till.session.get_one(AccountRow, (till.environment_id, row.account_id))
    if card is None or account.stripe_customer_id is None:
        fail(till, collection, BillingNow(at), "no_card")
        return None
    invoice = invoice_of(till.session, collection)
    amount = left_to_pay(invoice, collection)
    asked = Demand(account.stripe_customer_id, amount, f"Invoice {invoice.number:06d}", "")
    attempt = start(till.session, debt_of(invoice), SavedWay(card), asked, till.wall)
    return StartedCharge(attempt.id, row.account_id, BillingNow(at))
