"""Ending the plan with its term, and keeping it after all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.events import EventName
from portal.domain.legal import Words
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.cancelling import get_ending
from portal.queries.kept import plan_renewing
from portal.services import recharge_news, telling_standing
from portal.services.consents import keep_consent, said_in
from portal.services.instances import REASON_LENGTH
from portal.services.plans import locked
from portal.services.recording import record
from portal.services.switching import withdraw_agreed
from portal.services.till import Till, till_of


def cancel_plan(
    actor: Actor, reason: str, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> datetime:
    """Let the plan end with its term, and its add-ons with it; when that is. Nothing is refunded.

    An agreed change of plan is withdrawn. Repeating it keeps the first date. Raises Forbidden,
    NotFound without a subscription. Source: product.md §6; ADR 0018.
    """
    till, row, state = _locked(actor, session, gateway, wall)
    ends_at = agree_to_end(till, row, state, reason)
    session.commit()
    return ends_at


def agree_to_end(
    till: Till, row: SubscriptionRow, state: AccountState, reason: str, **told: Any
) -> datetime:
    """The same for whoever may decide it; commit is the caller's, who has the row's lock.

    told: what the event says besides.
    """
    ending = get_ending(state)
    if ending.is_agreed:
        return ending.ends_at
    row.cancel_at, row.cancel_reason = ending.cancel_at, reason.strip()[:REASON_LENGTH]
    row.next_due_at = min(row.next_due_at, ending.cancel_at)
    if ending.withdrawn is not None:
        withdraw_agreed(till, row, state.now)
    dates = {"cancel_at": ending.cancel_at.isoformat(), "ends_at": ending.ends_at.isoformat()}
    _record(till, row, EventName.SUBSCRIPTION_CANCELLED, state, **dates, **told)
    renewing = plan_renewing(state, ending)
    telling_standing.plan_cancelled(till, row, ending, renewing, state.now)
    return ending.ends_at


def keep_plan(
    actor: Actor,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
    agreed: Words | None = None,
) -> datetime | None:
    """Undo it while the term runs; when the plan renews. Charges nothing, and may be repeated.

    agreed: the words of the button, where a page was shown. None once the term is over. Raises
    Forbidden, NotFound without a subscription.
    """
    till, row, state = _locked(actor, session, gateway, wall)
    if state.subscription is None:  # over by the clock, and not closed yet
        session.rollback()
        return None
    ending = get_ending(state)
    if not ending.is_agreed:
        session.rollback()
        return ending.cancel_at
    if ending.cancel_at <= state.now:
        session.rollback()
        return None
    row.cancel_at, row.cancel_reason = None, ""
    row.next_due_at = min(row.next_due_at, state.now)
    _record(till, row, EventName.SUBSCRIPTION_KEPT, state)
    keep_consent(session, actor, f"subscription:{row.id}", agreed, wall)
    recharge_news.restored(till, actor.account_id)
    telling_standing.plan_kept(till, row, ending, plan_renewing(state, ending), said_in(agreed))
    session.commit()
    return ending.cancel_at


def _locked(
    actor: Actor, session: Session, gateway: PaymentGateway, wall: WallNow
) -> tuple[Till, SubscriptionRow, AccountState]:
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    row = locked(till, actor)
    return till, row, account_state(session, actor.scope, actor.account_id, wall)


def _record(
    till: Till, row: SubscriptionRow, event: EventName, state: AccountState, **detail: Any
) -> None:
    record(
        till.session, till.scope, till.doer, event, f"subscription:{row.id}", state.now, **detail
    )
