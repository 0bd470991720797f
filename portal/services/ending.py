"""The end of a subscription that was cancelled, and of all that is on it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, func, update

from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus, SubscriptionStatus
from portal.domain.periods import BillingNow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.services.lot_ending import end_plan_lots
from portal.services.recording import record
from portal.services.repricing import drop_price_changes
from portal.services.till import Till
from portal.services.withdrawing import give_back_unbegun


def end(till: Till, row: SubscriptionRow, at: datetime) -> None:
    """Close a subscription at `at`, all its bills made; telling its members and commit are the
    caller's, who has its lock.

    What was bought ends with it, and so do the allowances of its quota windows; what would begin
    later never does, and its money goes back.
    Invoices that are still open stay so, and are not charged by themselves any more.
    Source: product.md §6 (subscription cancelled); ADR 0018.
    """
    give_back_unbegun(till, row, BillingNow(at))
    of = InstanceRow
    till.session.execute(
        update(of)
        .where(
            of.environment_id == row.environment_id,
            of.subscription_id == row.id,
            of.status.in_((InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED)),
            func.coalesce(func.least(of.ends_at, of.cancel_at) > at, True),
        )
        .values(
            ends_at=func.greatest(of.starts_at, at),
            status=case((of.starts_at >= at, InstanceStatus.ENDED), else_=of.status),
        )
    )
    end_plan_lots(till.session, row, at)
    drop_price_changes(till, row, at)
    row.status, row.ended_at = SubscriptionStatus.CANCELLED, at
    told = EventName.SUBSCRIPTION_ENDED
    record(till.session, till.scope, till.doer, told, f"subscription:{row.id}", at)
