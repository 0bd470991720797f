"""When a subscription is looked at next for what may be due."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from portal.models.subscriptions import InstanceRow, SubscriptionRow


def look_no_later(session: Session, instance: InstanceRow, at: datetime) -> None:
    """Let the due scan look at the instance's subscription by `at`; commit is the caller's."""
    row = SubscriptionRow
    session.execute(
        update(row)
        .where(row.environment_id == instance.environment_id, row.id == instance.subscription_id)
        .values(next_due_at=func.least(row.next_due_at, at))
    )
