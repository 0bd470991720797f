"""Asking for the money of a renewal: its open invoice, the charge, and the retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.domain.dunning import Step, StepKind
from portal.domain.periods import BillingNow
from portal.models.accounts import AccountRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.attempts import Bill as Demand
from portal.services.attempts import SavedWay, debt_of, start
from portal.services.collecting import fail, invoice_of, left_to_pay, restate
from portal.services.till import Till
from portal.services.ways import default_card


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
    return _charge(till, row, collection, at) if step.charges else None


def _charge(
    till: Till, row: SubscriptionRow, collection: CollectionRow, at: datetime
) -> StartedCharge | None:
    """Start an attempt with the default card."""
    card = default_card(till.session, row)
    account = till.session.get_one(AccountRow, (till.environment_id, row.account_id))
    if card is None or account.stripe_customer_id is None:
        fail(till, collection, BillingNow(at), "no_card")
        return None
    invoice = invoice_of(till.session, collection)
    amount = left_to_pay(invoice, collection)
    asked = Demand(account.stripe_customer_id, amount, f"Invoice {invoice.number:06d}", "")
    attempt = start(till.session, debt_of(invoice), SavedWay(card), asked, till.wall)
    return StartedCharge(attempt.id, row.account_id, BillingNow(at))
