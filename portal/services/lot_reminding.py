"""Reminders of units that expire."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.use_notices import LotExpiring, Measured
from portal.models.accounts import AccountRow
from portal.models.usage import LotRow
from portal.queries.accounts import account_state
from portal.queries.wallet import ends_soon, expiring
from portal.services import mailing
from portal.services.alone import alone


def remind_of_lots(session: Session, scope: Scope, wall: WallNow) -> None:
    """Tell the accounts that have units left in a lot that ends in 30, 7 or 1 days; commits each.

    Safe to repeat: each lot's step is stored once. Late, the last step that has come is told.
    Source: issue 5 (wallet).
    """
    for account_id in _accounts(session, scope, wall):
        with alone(session, "reminder_left_out", account_id=account_id):
            state = account_state(session, scope, account_id, wall)
            for lot in expiring(session, scope, state):
                notice = LotExpiring(
                    lot_id=lot.lot_id,
                    days=lot.days,
                    feature=Measured(lot.feature.id, lot.feature.name, lot.feature.unit_plural),
                    left=lot.left,
                    expires_at=lot.expires_at,
                )
                mailing.post(session, scope, account_id, notice)


def _accounts(session: Session, scope: Scope, wall: WallNow) -> list[int]:
    """Those with such lots, by their own clocks."""
    account = AccountRow
    statement = (
        select(LotRow.account_id)
        .join(
            account,
            and_(account.environment_id == LotRow.environment_id, account.id == LotRow.account_id),
        )
        .where(
            LotRow.environment_id == scope.environment_id,
            ends_soon(func.coalesce(account.test_clock_at, wall)),
        )
        .distinct()
    )
    return sorted(session.scalars(statement))
