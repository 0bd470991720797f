"""Giving an instance more units, once they are paid for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from portal.domain.capacity import Capacity, CapacityKind, brought_by
from portal.domain.events import EventName
from portal.domain.grants import LotSource
from portal.domain.periods import BillingNow, BillingPeriod, Interval
from portal.domain.quantity_changes import QuantityQuote
from portal.domain.recurring import Recurring
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import AccountState
from portal.queries.subscriptions import Instance, Subscription
from portal.services.capacity import PURCHASED_PRIORITY, NewLot, open_lots, open_windows
from portal.services.invoicing import Sale
from portal.services.recording import record
from portal.services.reserving import Promise, plain
from portal.services.till import Till


def promise_of(item: Recurring, accepted: QuantityQuote) -> Promise:
    """What more units come to, for when they are paid; amounts are in the quote's lines."""
    promise: Promise = plain(
        {
            "at": accepted.at,
            "quantity": accepted.request.quantity,
            "added": accepted.request.quantity - accepted.quantity_now,
            "from": {
                "price_id": item.price.id,
                "quantity": item.quantity,
                "billed_until_at": item.billed_until,
            },
        }
    )
    return promise


def is_otherwise(till: Till, sale: Sale) -> bool:
    """Whether the instance is not what it was when more of it was quoted; locks its row."""
    key = (till.environment_id, sale.purchase.instance_id)
    row = till.session.get_one(InstanceRow, key, with_for_update=True, populate_existing=True)
    return row.cancel_at is not None or as_billed(row) != sale.quote.promise["from"]


def as_billed(row: InstanceRow) -> dict[str, Any]:
    """What a promise has of an instance, to be compared."""
    until = row.billed_until_at.astimezone(UTC) if row.billed_until_at else None
    said: dict[str, Any] = plain(
        {"price_id": row.price_id, "quantity": row.quantity, "billed_until_at": until}
    )
    return said


def raise_now(till: Till, sale: Sale, state: AccountState, instance: Instance) -> None:
    """Add the paid units, and open what they bring; commit is the caller's.

    The lots of the running windows are opened first, with the units so far.
    Fewer units that were agreed are forgotten: the newer word counts.
    """
    promise, session = sale.quote.promise, till.session
    if state.subscription is None:
        return
    open_windows(session, till.scope, state, state.now)
    lots = list(_lots(sale, state.subscription, instance, state.now))
    open_lots(session, till.scope, state.account.id, lots)
    row = session.get_one(InstanceRow, (till.environment_id, instance.id))
    row.quantity = promise["quantity"]
    row.next_quantity = row.next_quantity_at = None
    told, subject = EventName.QUANTITY_RAISED, f"instance:{row.id}"
    record(session, till.scope, till.doer, told, subject, state.now, quantity=str(row.quantity))


def brought_by_more(
    instance: Instance, subscription: Subscription, added: int, at: datetime
) -> tuple[Capacity, ...]:
    """What `added` units, quoted at `at`, bring."""
    cycle = instance.own_cycle(subscription.cycle)
    return brought_by(instance.add_on, instance.price, added, cycle, at, None)


def _lots(
    sale: Sale, subscription: Subscription, instance: Instance, now: BillingNow
) -> Iterator[NewLot]:
    """As quoted while the window of the quote runs; whole in one that has begun since."""
    promise = sale.quote.promise
    at = datetime.fromisoformat(promise["at"]).astimezone(UTC)
    for brought in brought_by_more(instance, subscription, promise["added"], at):
        if brought.kind is not CapacityKind.LOT or brought.units is None:
            continue
        grant, entitlement = brought.credit_grant, brought.entitlement
        source = LotSource.CREDIT_GRANT if grant else LotSource.INSTANCE
        what = f"grant:{grant.id}" if grant else f"{entitlement.id if entitlement else 0}"
        units, since, until = brought.units, at, brought.until
        if until is not None and until <= now and brought.then_units is not None and entitlement:
            period = entitlement.usage_reset_period or BillingPeriod.MONTHLY
            window = subscription.cycle.quota_window(now, Interval(period))
            units, since, until = brought.then_units, window.start, window.end
        yield NewLot(
            feature=brought.feature,
            source=source,
            source_key=f"purchase:{sale.purchase.id}:{what}",
            units=units,
            priority=grant.priority if grant else PURCHASED_PRIORITY,
            effective_at=since,
            expires_at=until,
            instance_id=instance.id,
        )
