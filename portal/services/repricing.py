"""Price changes that have come, or never will: marked with the bill that decides it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.bills import BillingState
from portal.domain.events import EventName
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.account_rows import price_change_rows
from portal.services.recording import Doer, record
from portal.services.till import Till

_EVENTS = {
    "scheduled": EventName.PRICE_CHANGE_ANNOUNCED,
    "applied": EventName.PRICE_CHANGE_APPLIED,
    "withdrawn": EventName.PRICE_CHANGE_WITHDRAWN,
}


def settle_price_changes(
    till: Till, row: SubscriptionRow, then: BillingState, at: datetime
) -> None:
    """Mark what has come by `at`: applied where the new price is paid, else withdrawn.

    then: what is billed from `at` on. Commit is the caller's, who holds the subscription's lock.
    """
    paid = {item.instance_id: item.price.id for item in (then.plan, *then.instances)}
    for change in price_change_rows(till.session, row):
        if change.effective_at <= at:
            is_paid = paid.get(change.instance_id) == change.new_price_id
            change.status = "applied" if is_paid else "withdrawn"
            record_status(till.session, till.scope, till.doer, change, at)


def drop_price_changes(till: Till, row: SubscriptionRow, at: datetime) -> None:
    """Withdraw all that would come after the end of a subscription; commit is the caller's."""
    for change in price_change_rows(till.session, row):
        change.status = "withdrawn"
        record_status(till.session, till.scope, till.doer, change, at)


def record_status(
    session: Session, scope: Scope, doer: Doer, change: PriceChangeRow, at: datetime
) -> None:
    """The fact that a price change was announced, applied or withdrawn."""
    of = f"instance:{change.instance_id}"
    if change.instance_id is None:
        of = f"subscription:{change.subscription_id}"
    prices = {"old_price_id": change.old_price_id, "new_price_id": change.new_price_id}
    effective_at = change.effective_at.isoformat()
    event = _EVENTS[change.status]
    record(session, scope, doer, event, of, at, **prices, effective_at=effective_at)
