"""Subscriptions as time passes: billed when due, charged, tried again, and at last stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import structlog
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.domain import bills, dunning
from portal.domain.access import Scope
from portal.domain.bills import Bill, BillingState
from portal.domain.dunning import Step, StepKind
from portal.domain.events import EventName
from portal.domain.instances import SubscriptionStatus
from portal.domain.ledger import settlement_transfers
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow
from portal.domain.recurring import Recurring
from portal.models.accounts import AccountRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import AccountState, account_state, billing_now
from portal.queries.billing import billing_state
from portal.services import balances, charging, recharge_news, telling, telling_standing
from portal.services.arrears import bill_use, hold_use, set_apart
from portal.services.books import post
from portal.services.collecting import open_invoices
from portal.services.demanding import StartedCharge, demand, try_again
from portal.services.ending import end
from portal.services.invoicing import issue_bill, money_of
from portal.services.recording import Doer, record
from portal.services.repricing import settle_price_changes, settle_use_prices
from portal.services.starting import begin_scheduled, next_start
from portal.services.switching import switch_agreed
from portal.services.till import Till
from portal.services.ways import card_by_itself

log = structlog.get_logger()
DOER = "renewal"
BATCH = 100
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Nothing is due until somebody pays or changes something."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How many subscriptions were moved on, and how many steps that took."""

    subscriptions: int
    steps: int


@dataclass(frozen=True, slots=True)
class _Due:
    """A step of one subscription. step: of dunning."""

    at: datetime
    what: Literal["start", "bill", "dunning", "use", "end"]
    step: Step | None = None


def run_due(
    session: Session, scope: Scope, *, gateway: PaymentGateway, wall: WallNow, batch: int = BATCH
) -> Ran:
    """Take every step that is due in the environment, one after another for each subscription.

    Any number of workers may do so at once: whoever holds a subscription's row moves it on. A
    step is stored before its charge is asked for; dying in between, or a request that was not
    taken, leaves an attempt that reconcile asks about. Running late gives the rows that running
    on time gives.
    Source: product.md §6 (renewal).
    """
    till = Till(session, gateway, scope, wall, Doer(DOER))
    done, steps = set[int](), 0
    while due := [each for each in _due(till, batch + len(done)) if each not in done]:
        for subscription_id in due:
            done.add(subscription_id)
            steps += _move_on(till, subscription_id)
    return Ran(len(done), steps)


def take_step(till: Till, subscription_id: int) -> bool:
    """Take the next step of one subscription that is due by its account's now; False without one.

    Skipped, with False, while another worker holds the row.
    """
    charge = _store_step(till, subscription_id)
    if isinstance(charge, bool):
        return charge
    at = replace(till.about(charge.account_id), as_of=charge.as_of)
    attempt = till.session.get_one(
        PaymentAttemptRow, (till.environment_id, charge.attempt_id), populate_existing=True
    )
    charging.ask(at, attempt)
    return True


def _move_on(till: Till, subscription_id: int) -> int:
    steps = 0
    try:
        while take_step(till, subscription_id):
            steps += 1
    except Exception:  # one that cannot be moved on does not hold up the others
        till.session.rollback()
        log.exception("subscription_stays_due", subscription_id=subscription_id)
    return steps


def _due(till: Till, most: int) -> list[int]:
    """Ids of subscriptions that something may be due for, by their accounts' own clocks."""
    found = list(
        till.session.scalars(
            select(SubscriptionRow.id)
            .join(
                AccountRow,
                and_(
                    AccountRow.environment_id == SubscriptionRow.environment_id,
                    AccountRow.id == SubscriptionRow.account_id,
                ),
            )
            .where(
                SubscriptionRow.environment_id == till.environment_id,
                SubscriptionRow.ended_at.is_(None),
                SubscriptionRow.next_due_at <= func.coalesce(AccountRow.test_clock_at, till.wall),
            )
            .order_by(SubscriptionRow.next_due_at, SubscriptionRow.id)
            .limit(most)
        )
    )
    till.session.commit()
    return found


def _store_step(till: Till, subscription_id: int) -> StartedCharge | bool:
    """Write the next step and commit; what is to be charged for it, or whether there was one."""
    key = SubscriptionRow.environment_id == till.environment_id
    row = till.session.scalar(
        select(SubscriptionRow)
        .where(key, SubscriptionRow.id == subscription_id, SubscriptionRow.ended_at.is_(None))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        till.session.rollback()
        return False
    till = till.about(row.account_id)
    account = till.session.get_one(AccountRow, (till.environment_id, row.account_id))
    now = billing_now(account, till.wall)
    if row.next_due_at > now:
        till.session.rollback()
        return False
    state = _state(till, row)
    due = _next(till, row, state)
    if due is None or due.at > now:
        row.next_due_at = due.at if due else NEVER
        till.session.commit()
        return False
    charge = _take(replace(till, as_of=BillingNow(due.at)), row, state, due)
    till.session.commit()
    return charge or True


def _state(till: Till, row: SubscriptionRow) -> AccountState:
    """As it is, and as it stays while this transaction bills use of it."""
    if row.usage_price_ids:
        hold_use(till.session, row)
    state = account_state(till.session, till.scope, row.account_id, till.wall, over=True)
    if row.usage_price_ids or not any(i.usage_prices for i in state.instances):
        return state
    hold_use(till.session, row)
    return account_state(till.session, till.scope, row.account_id, till.wall, over=True)


def _next(till: Till, row: SubscriptionRow, state: AccountState) -> _Due | None:
    """What comes first: a start, a bill, what is done about unpaid invoices, the end of a month of
    use that has no bill; at last the end."""
    status, zone, billing = SubscriptionStatus(row.status), state.account.zone, billing_state(state)
    found = [_Due(at, "start") for at in (next_start(state),) if at]
    if dunning.bills_on(status):
        found += [_Due(at, "bill") for at in (bills.next_due(billing),) if at]
        found += [_Due(at, "use") for at in (billing.use_due_at,) if at]
    if status is not SubscriptionStatus.SUSPENDED:
        card = card_by_itself(till.session, row)
        unpaid = open_invoices(till.session, row)
        if step := dunning.next_step(unpaid, card.fingerprint if card else None, zone):
            found.append(_Due(step.at, "dunning", step))
    if state.subscription and state.subscription.ends_at:
        found.append(_Due(state.subscription.ends_at, "end"))
    return min(found, key=_in_order, default=None)


def _in_order(due: _Due) -> tuple[datetime, bool]:
    """Suspension comes before what falls due at its instant: that is not billed any more."""
    return due.at, due.step is None or due.step.kind is not StepKind.SUSPEND


def _take(till: Till, row: SubscriptionRow, state: AccountState, due: _Due) -> StartedCharge | None:
    """One step, at the instant it was due."""
    if due.step is not None:
        return try_again(till, row, due.step)
    if due.what == "bill":
        return _bill(till, row, state, due.at)
    if due.what == "end":
        end(till, row, due.at)
        telling_standing.plan_ended(till, row, due.at)
    elif due.what == "use":
        row.use_billed_until_at = due.at
        settle_use_prices(till, row, state, due.at)
    else:
        begin_scheduled(till, state, due.at)
    return None


def _bill(
    till: Till, row: SubscriptionRow, state: AccountState, at: datetime
) -> StartedCharge | None:
    """Issue the invoice of one boundary, and go on from there."""
    before = billing_state(state)
    if row.status == SubscriptionStatus.TRIALING:
        set_apart(till.session, till.scope, row, at, till.wall)
    made = bills.bill(before, at)
    invoice = issue_bill(till.session, till.scope, row, made, till.doer)
    bill_use(till, row, invoice, (each for each in before.arrears if each.due_at == at))
    money = money_of(made)
    balances.spend(till.session, invoice, money.carried_in.minor, money.carried_out.minor)
    moved = settlement_transfers(money, f"invoice:{invoice.id}")
    post(till.session, till.environment_id, row.account_id, moved, at)
    _write_back(till, row, state, bills.after(before, made), made)
    row.next_due_at = min(row.next_due_at, next_start(state) or NEVER)
    if at != before.ends_at:
        told = EventName.SUBSCRIPTION_RENEWED
        record(till.session, till.scope, till.doer, told, f"subscription:{row.id}", at)
    if not made.due.charged:
        telling.renewed(till, invoice, made.due.charged)
    return demand(till, row, invoice, at) if made.due.charged else None


def _write_back(
    till: Till, row: SubscriptionRow, state: AccountState, then: BillingState, made: Bill
) -> None:
    """What was billed until when, and what was agreed for this boundary."""
    row.billed_until_at = then.plan.billed_until
    row.use_billed_until_at = max(row.use_billed_until_at, made.at)
    if row.status == SubscriptionStatus.TRIALING:
        row.status = SubscriptionStatus.ACTIVE
        recharge_news.restored(till, row.account_id)
    if row.resumed_at is not None and made.at >= row.resumed_at:
        row.resumed_at = None
    settle_price_changes(till, row, then, made.at)
    settle_use_prices(till, row, state, made.at)
    switch_agreed(till, row, then, made)
    row.price_id = then.plan.price.id
    for item in then.instances:
        _write_instance(till, item)
    row.next_due_at = bills.next_look(then) or NEVER


def _write_instance(till: Till, item: Recurring) -> None:
    key = (till.environment_id, item.instance_id)
    row = till.session.get_one(InstanceRow, key)
    row.billed_until_at, row.price_id = item.billed_until, item.price.id
    if row.quantity != item.quantity:
        row.quantity = item.quantity
        row.next_quantity = row.next_quantity_at = None
