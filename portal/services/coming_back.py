"""A plan that begins once another has ended: its promise, and its beginning once it is paid."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.bills import next_look
from portal.domain.catalog import Plan
from portal.domain.events import EventName
from portal.domain.plan_changes import PlanQuote
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.billing import billing_state
from portal.queries.catalog import prices_by_id
from portal.queries.sales import BEGINS
from portal.services.accounts import lock_account, on_plan
from portal.services.invoicing import Sale
from portal.services.recording import record
from portal.services.reserving import Promise, plain
from portal.services.till import Till


def lock_to_begin(session: Session, scope: Scope, account_id: int) -> None:
    """Puts in line all that may begin a plan of an account that has none: its members' payments,
    by the subscription that ended last, and the host, by the account. Source: ADR 0031."""
    ended = select(SubscriptionRow).where(
        SubscriptionRow.environment_id == scope.environment_id,
        SubscriptionRow.account_id == account_id,
    )
    session.scalar(ended.order_by(SubscriptionRow.id.desc()).limit(1).with_for_update())
    lock_account(session, scope, account_id)


def promise_to_begin(session: Session, accepted: PlanQuote, target: Plan) -> Promise:
    """What is written once it is paid, under the subscription's id, which is taken now."""
    promise: Promise = plain(
        {
            BEGINS: session.scalars(select(func.nextval("subscriptions_id_seq"))).one(),
            "name": target.name,
            "plan": target.lookup_key,
            "plan_id": target.id,
            "usage_price_ids": [each.id for each in accepted.usage_prices],
            "at": accepted.at,
            "over_at": accepted.going_forward.next_at,
        }
    )
    return promise


def has_begun_otherwise(sale: Sale, state: AccountState) -> bool:
    """Whether the account has, or had since, another plan than the one that had ended."""
    former, quoted_on = state.former, sale.quote.subscription_id
    return former is None or not former.is_closed or former.subscription_id != quoted_on


def begin_paid(till: Till, sale: Sale, state: AccountState) -> None:
    """Begin the plan that was paid for, from the instant of its quote; commit is the caller's, who
    holds the locks of `lock_to_begin`.

    Source: product.md §4 (quote): money runs from there, access starts now.
    """
    promise, session = sale.quote.promise, till.session
    target = next(plan for plan in state.catalog.plans if plan.id == promise["plan_id"])
    price_id = sale.quote.price_id
    price = prices_by_id(session, till.scope, [price_id], ())[price_id]
    account = session.get_one(AccountRow, (till.environment_id, state.account.id))
    since, until = (datetime.fromisoformat(promise[at]).astimezone(UTC) for at in ("at", "over_at"))
    row = on_plan(account, target, price, since, until)
    row.id, row.usage_price_ids = promise[BEGINS], promise["usage_price_ids"]
    session.add(row)
    session.flush()
    then = billing_state(account_state(session, till.scope, row.account_id, till.wall))
    row.next_due_at = next_look(then) or row.billed_until_at
    told, subject = EventName.SUBSCRIPTION_STARTED, f"subscription:{row.id}"
    record(session, till.scope, till.doer, told, subject, state.now, plan=target.lookup_key)
