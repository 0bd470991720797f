"""Notices that no event brings about, only time: cards and trials that end, prices that change."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.cards import last_day, reminder, today_in
from portal.domain.instances import SubscriptionStatus
from portal.domain.notices import CardExpiring, TrialEnding
from portal.domain.periods import WallNow
from portal.domain.price_changes import REMINDED, told
from portal.domain.proration import charge
from portal.domain.taxes import taxed
from portal.domain.trials import trial_notice_at
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.billing import prices_ahead
from portal.queries.cards import renewals
from portal.services import mailing
from portal.services.alone import alone


def remind_of_cards(session: Session, scope: Scope, wall: WallNow) -> None:
    """Tell the accounts whose default card ends soon while something renews; commits each.

    Safe to repeat: each reminder of one end is stored once.
    """
    for card in _ending(session, scope, wall):
        with alone(session, "reminder_left_out", account_id=card.account_id):
            state = account_state(session, scope, card.account_id, wall)
            ends = last_day(card.exp_month, card.exp_year)
            due = reminder(ends, today_in(state.account.zone, wall))
            if due is not None and renewals(state):
                notice = CardExpiring(card.id, card.brand, card.last4, ends, due)
                mailing.post(session, scope, card.account_id, notice)


def remind_of_trials(session: Session, scope: Scope, wall: WallNow) -> None:
    """Tell the accounts whose trial ends within three days; commits each. Safe to repeat.

    Source: product.md §6 (trial).
    """
    trying = select(SubscriptionRow).where(
        SubscriptionRow.environment_id == scope.environment_id,
        SubscriptionRow.status == SubscriptionStatus.TRIALING,
        SubscriptionRow.ended_at.is_(None),
    )
    for row in list(session.scalars(trying.order_by(SubscriptionRow.id))):
        with alone(session, "reminder_left_out", account_id=row.account_id):
            state = account_state(session, scope, row.account_id, wall)
            notice = _trial_ending(row, state)
            if notice is not None:
                mailing.post(session, scope, row.account_id, notice)


def remind_of_prices(session: Session, scope: Scope, wall: WallNow) -> None:
    """Tell once more of price changes that were announced long before; commits each account.

    Safe to repeat. Source: ADR 0017.
    """
    for account_id in _repriced_soon(session, scope, wall):
        with alone(session, "reminder_left_out", account_id=account_id):
            state = account_state(session, scope, account_id, wall)
            for ahead in prices_ahead(state):
                due = ahead.change.reminded_at
                if due is not None and due <= state.now < ahead.change.effective_at:
                    notice = told(ahead, state.account.tax, reminder=True)
                    mailing.post(session, scope, account_id, notice)


def _repriced_soon(session: Session, scope: Scope, wall: WallNow) -> list[int]:
    """Ids of accounts with a price that changes soon, by their own clocks."""
    row, account = PriceChangeRow, AccountRow
    now = func.coalesce(account.test_clock_at, wall)
    statement = (
        select(row.account_id)
        .join(
            account,
            and_(account.environment_id == row.environment_id, account.id == row.account_id),
        )
        .where(
            row.environment_id == scope.environment_id,
            row.status == "scheduled",
            row.effective_at <= now + REMINDED,
        )
    )
    return sorted(set(session.scalars(statement)))


def _ending(session: Session, scope: Scope, wall: WallNow) -> list[PaymentMethodRow]:
    """Default cards that end around now; a month more on either side for the zones."""
    months = PaymentMethodRow.exp_year * 12 + PaymentMethodRow.exp_month - 1
    now = wall.year * 12 + wall.month - 1
    statement = select(PaymentMethodRow).where(
        PaymentMethodRow.environment_id == scope.environment_id,
        PaymentMethodRow.is_default,
        PaymentMethodRow.detached_at.is_(None),
        months.between(now - 1, now + 3),
    )
    return list(session.scalars(statement.order_by(PaymentMethodRow.id)))


def _trial_ending(row: SubscriptionRow, state: AccountState) -> TrialEnding | None:
    subscription, ends_at = state.subscription, row.billed_until_at.astimezone(UTC)
    if subscription is None or subscription.cancel_at is not None:
        return None
    told_at = trial_notice_at(subscription.price, row.started_at, state.account.zone)
    if told_at is None or not told_at <= state.now < ends_at:
        return None
    amount = taxed(state.account.tax, charge(subscription.price, Decimal(1), None, state.now))
    return TrialEnding(row.id, subscription.plan.name, ends_at, amount)
