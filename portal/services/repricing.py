"""Price changes that have come, or never will: marked with the bill that decides it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.bills import BillingState
from portal.domain.events import EventName
from portal.domain.price_changes import PriceChange, ahead
from portal.models.catalog import FeatureRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.account_rows import price_change_rows
from portal.queries.accounts import AccountState
from portal.queries.use_terms import use_items
from portal.services.arrears import set_apart
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
    """Mark what has come by `at` of prices that are not for use: applied where the new price is
    paid, else withdrawn.

    then: what is billed from `at` on. Commit is the caller's, who holds the subscription's lock.
    """
    paid = {item.instance_id: item.price.id for item in (then.plan, *then.instances)}
    for change in price_change_rows(till.session, row):
        if change.effective_at <= at and change.feature_id is None:
            is_paid = paid.get(change.instance_id) == change.new_price_id
            change.status = "applied" if is_paid else "withdrawn"
            record_status(till.session, till.scope, till.doer, change, at)


def settle_use_prices(till: Till, row: SubscriptionRow, state: AccountState, at: datetime) -> None:
    """Move the plan and its instances to the prices for use that have come by `at`; what was used
    before is set apart first.

    state: before anything agreed for `at` is done. Commit is the caller's, who holds the
    subscription's lock.
    """
    items = {(item.instance_id, item.price.feature): item for item in use_items(state)}
    for change in state.price_changes:
        if change.feature is None or change.effective_at > at or _waits(state, change):
            continue
        item = items.get((change.instance_id, change.feature))
        comes = item is not None and ahead(item, change) is not None
        if comes:
            set_apart(till.session, till.scope, row, change.effective_at, till.wall)
            _replace_price(till, row, change)
        key = (till.environment_id, change.id)
        stored = till.session.get_one(PriceChangeRow, key)
        stored.status = "applied" if comes else "withdrawn"
        record_status(till.session, till.scope, till.doer, stored, at)
    till.session.flush()


def _waits(state: AccountState, change: PriceChange) -> bool:
    """Whether it is for after a change of plan that is still to be made: then it comes with the
    next step."""
    agreed = state.agreed if change.instance_id is None else None
    return agreed is not None and agreed.effective_at < change.effective_at


def _replace_price(till: Till, row: SubscriptionRow, change: PriceChange) -> None:
    of: SubscriptionRow | InstanceRow = row
    if change.instance_id is not None:
        of = till.session.get_one(InstanceRow, (till.environment_id, change.instance_id))
    ids = (change.new.id if id == change.old.id else id for id in of.usage_price_ids)
    of.usage_price_ids = list(ids)


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
    detail = {"effective_at": change.effective_at.isoformat()}
    if change.feature_id is not None:
        key = (scope.environment_id, change.feature_id)
        detail["feature"] = session.get_one(FeatureRow, key).name
    record(session, scope, doer, _EVENTS[change.status], of, at, **prices, **detail)
