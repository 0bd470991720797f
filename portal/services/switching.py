"""Moving a subscription to what was agreed: its plan, its price, its anchors, its add-ons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.bills import Bill, BillingState, next_look
from portal.domain.capacity import Capacity
from portal.domain.catalog import Plan
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.money import Money
from portal.domain.plan_changes import PlanQuote, Subscribed, changed
from portal.domain.recurring import Recurring
from portal.models.subscriptions import InstanceRow, PlanChangeRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.agreed import plain_moves
from portal.queries.billing import billing_state
from portal.services.allowances import raise_allowance
from portal.services.arrears import set_apart
from portal.services.invoicing import Sale
from portal.services.raising import as_billed
from portal.services.recording import record
from portal.services.reserving import Promise, plain
from portal.services.starting import next_start
from portal.services.telling import plan_changed
from portal.services.till import Till

_KEPT = (InstanceStatus.PENDING_PAYMENT, InstanceStatus.ACTIVE, InstanceStatus.SCHEDULED)


def promise_of(by: Subscribed, accepted: PlanQuote, target: Plan) -> Promise:
    """All that moves with a change now, for when it is paid; amounts are in the quote's lines.

    over_at: when what it was quoted on is over. switches: instances that are billed otherwise.
    """
    then = changed(by, accepted, target.name)
    ends = [line.period.end for line in accepted.lines if line.period]
    before = {item.instance_id: item for item in by.billing.instances}
    promise: Promise = plain(
        {
            "name": target.name,
            "plan": target.lookup_key,
            "plan_id": target.id,
            "usage_price_ids": [each.id for each in accepted.usage_prices],
            "at": accepted.at,
            "over_at": min([*ends, by.billing.plan.billed_until]),
            "from": _fingerprint(by),
            "billing_anchor_at": then.plan.anchor.at,
            "billed_until_at": then.plan.billed_until,
            "switches": [
                _switch(before[item.instance_id], item)
                for item in then.instances
                if item.price != before[item.instance_id].price
            ],
            "moves": plain_moves(accepted.moves),
            "raised": [_raise(each) for each in accepted.raised],
        }
    )
    return promise


def has_moved_on(till: Till, sale: Sale, state: AccountState) -> bool:
    """Whether the subscription, or an add-on that would switch, is not what was quoted on, or is
    cancelled since.

    Locks the rows of those add-ons.
    """
    subscription, promise = state.subscription, sale.quote.promise
    if subscription is None or subscription.cancel_at is not None:
        return True
    here = {
        "plan_id": subscription.plan.id,
        "price_id": subscription.price.id,
        "billing_anchor_at": subscription.cycle.billing_anchor.at,
        "billed_until_at": subscription.billed_until,
    }
    if plain(here) != promise["from"]:
        return True
    return any(
        row is None or row.cancel_at is not None or as_billed(row) != switch["from"]
        for switch in promise["switches"]
        for row in [_locked(till, switch["instance_id"])]
    )


def switch_now(till: Till, sale: Sale, state: AccountState) -> None:
    """Make the paid change of plan; commit is the caller's, who holds the subscription's lock.

    A change that was agreed for the end of the term is withdrawn.
    """
    promise, at = sale.quote.promise, state.now
    quoted_at = datetime.fromisoformat(promise["at"]).astimezone(UTC)
    target = next(plan for plan in state.catalog.plans if plan.id == promise["plan_id"])
    raised = {each["entitlement_id"]: each["units"] for each in promise["raised"]}
    row = till.session.get_one(SubscriptionRow, (till.environment_id, sale.quote.subscription_id))
    set_apart(till.session, till.scope, row, at, till.wall)
    raise_allowance(till.session, till.scope, state, target, quoted_at, raised)
    _move_anchor(till.session, row, datetime.fromisoformat(promise["billing_anchor_at"]))
    for switch in promise["switches"]:
        _switch_instance(till, switch)
    _move_to(row, target, state.now)
    row.price_id = sale.quote.price_id
    row.usage_price_ids = promise["usage_price_ids"]
    row.billed_until_at = datetime.fromisoformat(promise["billed_until_at"])
    withdraw_agreed(till, row, at)
    till.session.flush()
    then = billing_state(account_state(till.session, till.scope, row.account_id, till.wall))
    due = next_look(then) or then.plan.billed_until
    row.next_due_at = min(due, next_start(state) or due)
    charged = Money(sale.quote.charged_minor, sale.quote.currency) or None
    _tell(till, row, state, target, f"purchase:{sale.purchase.id}", at, charged)


def switch_agreed(till: Till, row: SubscriptionRow, then: BillingState, made: Bill) -> None:
    """Make the change that was agreed for the boundary of `made`, once the plan is billed there.

    then: what is billed from that boundary on. Commit is the caller's.
    """
    agreed = _agreed(till, row)
    if agreed is None or then.plan.agreed or made.at < agreed.effective_at:
        return
    state = account_state(till.session, till.scope, row.account_id, till.wall)
    target = next(plan for plan in state.catalog.plans if plan.id == agreed.plan_id)
    set_apart(till.session, till.scope, row, made.at, till.wall)
    raise_allowance(till.session, till.scope, state, target, made.at, None)
    _move_anchor(till.session, row, then.plan.anchor.at)
    for item in then.instances:
        _follow(till, item)
    _move_to(row, target, agreed.effective_at)
    row.price_id, agreed.status = agreed.price_id, "applied"
    row.usage_price_ids = list(agreed.usage_price_ids)
    till.session.flush()
    _tell(till, row, state, target, f"plan_change:{agreed.id}", made.at, None)


def _move_to(row: SubscriptionRow, target: Plan, at: datetime) -> None:
    if row.plan_id != target.id:
        row.plan_id, row.plan_paid_from_at = target.id, at


def withdraw_agreed(till: Till, row: SubscriptionRow, at: datetime) -> bool:
    """Take back the change agreed for the end of the term; False when there is none."""
    agreed = _agreed(till, row)
    if agreed is None:
        return False
    agreed.status = "withdrawn"
    told = EventName.PLAN_CHANGE_WITHDRAWN
    record(till.session, till.scope, till.doer, told, f"subscription:{row.id}", at)
    till.session.flush()
    return True


def _agreed(till: Till, row: SubscriptionRow) -> PlanChangeRow | None:
    return till.session.scalar(
        select(PlanChangeRow)
        .where(
            PlanChangeRow.environment_id == row.environment_id,
            PlanChangeRow.subscription_id == row.id,
            PlanChangeRow.status == "scheduled",
        )
        .with_for_update()
    )


def _fingerprint(by: Subscribed) -> dict[str, Any]:
    """What has to be the same still when the money is there."""
    plan = by.billing.plan
    return {
        "plan_id": by.plan.id,
        "price_id": plan.price.id,
        "billing_anchor_at": plan.anchor.at,
        "billed_until_at": plan.billed_until,
    }


def _switch(before: Recurring, after: Recurring) -> dict[str, Any]:
    return {
        "instance_id": after.instance_id,
        "price_id": after.price.id,
        "quantity": after.quantity,
        "billing_anchor_at": after.anchor.at,
        "billed_until_at": after.billed_until,
        "from": {
            "price_id": before.price.id,
            "quantity": before.quantity,
            "billed_until_at": before.billed_until,
        },
    }


def _raise(raised: Capacity) -> dict[str, Any]:
    entitlement_id = raised.entitlement.id if raised.entitlement else 0
    return {"entitlement_id": entitlement_id, "units": raised.units}


def _locked(till: Till, instance_id: int) -> InstanceRow | None:
    key = (till.environment_id, instance_id)
    return till.session.get(InstanceRow, key, with_for_update=True, populate_existing=True)


def _switch_instance(till: Till, switch: dict[str, Any]) -> None:
    row = till.session.get_one(InstanceRow, (till.environment_id, switch["instance_id"]))
    row.price_id, row.quantity = switch["price_id"], switch["quantity"]
    row.billing_anchor_at = datetime.fromisoformat(switch["billing_anchor_at"])
    row.billed_until_at = datetime.fromisoformat(switch["billed_until_at"])
    row.next_quantity = row.next_quantity_at = None


def _follow(till: Till, item: Recurring) -> None:
    """What the agreed change makes of one instance, at its own boundary."""
    row = till.session.get_one(InstanceRow, (till.environment_id, item.instance_id))
    if item.stops_at is not None and row.ends_at is None:
        row.cancel_at = max(min(item.stops_at, row.cancel_at or item.stops_at), row.starts_at)
    if item.price.id != row.price_id:
        row.price_id, row.billing_anchor_at = item.price.id, item.anchor.at


def _move_anchor(session: Session, row: SubscriptionRow, to: datetime) -> None:
    """Move the plan's boundary 0; what is billed apart from it keeps the old one."""
    if row.billing_anchor_at == to:
        return
    of = InstanceRow
    session.execute(
        update(of)
        .where(
            of.environment_id == row.environment_id,
            of.subscription_id == row.id,
            of.status.in_(_KEPT),
            of.billed_until_at.is_not(None),
            of.billing_anchor_at.is_(None),
        )
        .values(billing_anchor_at=row.billing_anchor_at)
    )
    row.billing_anchor_at = to


def _tell(
    till: Till,
    row: SubscriptionRow,
    state: AccountState,
    target: Plan,
    reference: str,
    at: datetime,
    charged: Money | None,
) -> None:
    """Record what has changed, and mail it. state: before."""
    told = EventName.PLAN_CHANGED
    subject, plan = f"subscription:{row.id}", {"plan_id": row.plan_id, "price_id": row.price_id}
    record(till.session, till.scope, till.doer, told, subject, at, **plan)
    before = state.subscription.plan.name if state.subscription else ""
    plan_changed(
        till, row.account_id, reference, before, target.name, at, scheduled=False, charged=charged
    )
