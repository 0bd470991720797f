"""Notices that a consumer's law asks for before and while something renews."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.instances import SubscriptionStatus
from portal.domain.legal import TERMS, CustomerType
from portal.domain.periods import WallNow
from portal.domain.renewal_notices import (
    RenewalAhead,
    Renewing,
    StillRenewing,
    is_ahead,
    is_long,
    year_due,
)
from portal.models.accounts import AccountRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.cards import renewals
from portal.services import mailing
from portal.services.alone import alone


def remind_of_renewals(session: Session, scope: Scope, wall: WallNow) -> None:
    """Tell consumers whose profile asks for it; commits each account. Safe to repeat.

    Source: docs/legal-profiles.md.
    """
    consumers = select(AccountRow.id).where(
        AccountRow.environment_id == scope.environment_id,
        AccountRow.customer_type == CustomerType.CONSUMER,
    )
    for account_id in list(session.scalars(consumers.order_by(AccountRow.id))):
        with alone(session, "reminder_left_out", account_id=account_id):
            state = account_state(session, scope, account_id, wall)
            for notice in _due(state):
                mailing.post(session, scope, account_id, notice)


def _due(state: AccountState) -> list[RenewalAhead | StillRenewing]:
    subscription, terms = state.subscription, TERMS[state.account.profile]
    if subscription is None or subscription.status is SubscriptionStatus.TRIALING:
        return []  # a trial has a mail of its own
    found = _renewing(state)
    due: list[RenewalAhead | StillRenewing] = []
    if terms.tells_before_long_terms:
        due += [RenewalAhead(subscription.id, each) for each in found if is_ahead(each, state.now)]
    year = year_due(subscription.started_at, state.account.zone, state.now)
    short = tuple(each for each in found if not is_long(each.interval))
    if terms.tells_yearly and year is not None and short:
        due.append(StillRenewing(subscription.id, year, short))
    return due


def _renewing(state: AccountState) -> list[Renewing]:
    """Without a plan that is about to be another: that was agreed to with its price."""
    return [
        Renewing(each.name, each.at, each.amount + each.tax, each.interval, each.instance_id)
        for each in renewals(state)
        if state.agreed is None or each.instance_id is not None
    ]
