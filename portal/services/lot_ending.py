"""Lots that end before their time, with the instance or the subscription that brought them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.grants import LotSource
from portal.models.subscriptions import SubscriptionRow
from portal.models.usage import LotRow

SHORTEST = timedelta(microseconds=1)
"""How long a lot lasts at least."""


def end_lots(
    session: Session, scope: Scope, instance_id: int, at: datetime, *, all_of_them: bool = False
) -> None:
    """Let units that the instance brought, and that have an end, end at `at`; commits nothing.

    all_of_them: those without an end too.
    """
    row = LotRow
    session.execute(
        update(row)
        .where(
            row.environment_id == scope.environment_id,
            row.instance_id == instance_id,
            func.coalesce(row.expires_at > at, all_of_them),
        )
        .values(expires_at=func.greatest(at, row.effective_at + SHORTEST))
    )


def end_plan_lots(
    session: Session, row: SubscriptionRow, at: datetime, *, all_of_them: bool = False
) -> None:
    """Let what is left of the allowances of a subscription's windows end with it at `at`: another
    one brings its own. Commits nothing.

    all_of_them: the credits too that came with its plan.
    """
    of, plan = LotRow, LotRow.source == LotSource.PLAN
    windows = or_(of.source == LotSource.INSTANCE, and_(plan, of.source_key.like("plan:%")))
    session.execute(
        update(of)
        .where(
            of.environment_id == row.environment_id,
            of.account_id == row.account_id,
            of.effective_at >= row.started_at,
            or_(windows, plan) if all_of_them else windows,
            func.coalesce(of.expires_at > at, all_of_them),
        )
        .values(expires_at=func.greatest(at, of.effective_at + SHORTEST))
    )
