"""Writing down an accepted quote before any money moves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.lines import Due, LineKind, QuoteLine, sum_of
from portal.domain.money import Money
from portal.domain.plan_changes import PlanQuote
from portal.domain.purchases import HELD_FOR
from portal.domain.quantity_changes import QuantityQuote
from portal.domain.quotes import Quote
from portal.domain.spending import spent_by
from portal.models.purchases import PurchaseRow, QuoteLineRow, QuoteRow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import AccountState
from portal.services import spending
from portal.services.attempts import Bill, Way, debt_of, start
from portal.services.balances import hold
from portal.services.invoicing import said
from portal.services.recording import record
from portal.services.till import Till

Promise = dict[str, Any]
"""What was accepted besides money, in what JSON knows."""


def reserve(
    till: Till,
    actor: Actor,
    state: AccountState,
    accepted: Quote,
    nonce: str,
    policy_id: int | None = None,
) -> PurchaseRow:
    """Add the quote, its lines, the instance and the purchase; commit is the caller's.

    Called under the subscription's row lock. policy_id: of the auto-recharge that buys it.
    Raises `spending.Passed`, as the two below do.
    """
    session = till.session
    due = Due(accepted.charged, accepted.carried_out, Money.zero(accepted.price.currency))
    quote_row = _quote_row(actor, state, accepted, due, nonce, _promise_of(accepted))
    _store(session, quote_row, accepted.lines)
    instance = _instance_row(actor, state, accepted)
    session.add(instance)
    session.flush()
    purchase = _purchase_row(till, actor, accepted.lines, quote_row)
    purchase.instance_id, purchase.policy_id = instance.id, policy_id
    return _hold(till, purchase, quote_row)


def reserve_change(
    till: Till, actor: Actor, state: AccountState, accepted: PlanQuote, nonce: str, promise: Promise
) -> PurchaseRow:
    """The same for a change of plan now; promise: all that moves with it."""
    quote_row = _store_change(till, actor, state, accepted, nonce, promise)
    purchase = _purchase_row(till, actor, accepted.lines, quote_row)
    purchase.kind = "plan"
    return _hold(till, purchase, quote_row)


def reserve_more(
    till: Till,
    actor: Actor,
    state: AccountState,
    accepted: QuantityQuote,
    nonce: str,
    promise: Promise,
) -> PurchaseRow:
    """The same for more units of an instance; promise: how many, and on what they were quoted."""
    quote_row = _store_change(till, actor, state, accepted, nonce, promise)
    purchase = _purchase_row(till, actor, accepted.lines, quote_row)
    purchase.kind, purchase.instance_id = "quantity", accepted.request.instance_id
    return _hold(till, purchase, quote_row)


def start_paying(
    till: Till,
    purchase: PurchaseRow,
    what: str,
    amount: Money,
    way: Way,
    customer_ref: str,
    shown_at: str,
) -> None:
    """Add the first attempt of a purchase that has something to charge."""
    bill = Bill(customer_ref, amount, what, shown_at)
    start(till.session, debt_of(purchase), way, bill, till.wall)


def described(name: str, quantity: int) -> str:
    """What the processor, and the statement of the card, say was bought."""
    return name if quantity == 1 else f"{name} × {quantity}"


def _store_change(
    till: Till,
    actor: Actor,
    state: AccountState,
    accepted: PlanQuote | QuantityQuote,
    nonce: str,
    promise: Promise,
) -> QuoteRow:
    quote_row = _quote_row(actor, state, accepted, accepted.due, nonce, promise)
    return _store(till.session, quote_row, accepted.lines)


def _store(session: Session, quote_row: QuoteRow, lines: tuple[QuoteLine, ...]) -> QuoteRow:
    session.add(quote_row)
    session.flush()
    session.add_all(_line_row(quote_row, position, line) for position, line in enumerate(lines))
    return quote_row


def _hold(till: Till, purchase: PurchaseRow, quote_row: QuoteRow) -> PurchaseRow:
    till.session.add(purchase)
    hold(till.session, purchase, quote_row.currency)
    spending.reserve(till, purchase)
    till.session.flush()
    subject, at = f"purchase:{purchase.id}", quote_row.quoted_at
    record(till.session, till.scope, till.doer, EventName.PURCHASE_RESERVED, subject, at)
    return purchase


def _quote_row(
    actor: Actor,
    state: AccountState,
    accepted: Quote | PlanQuote | QuantityQuote,
    due: Due,
    nonce: str,
    promise: Promise,
) -> QuoteRow:
    return QuoteRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=state.quoted_on,
        price_id=accepted.price.id,
        nonce=nonce,
        digest=accepted.digest,
        quoted_at=accepted.at,
        expires_at=accepted.expires_at,
        currency=accepted.price.currency,
        charged_minor=due.charged.minor,
        carried_out_minor=due.carried_out.minor,
        credited_minor=due.credited.minor,
        promise=promise,
    )


def _promise_of(accepted: Quote) -> Promise:
    ahead = accepted.going_forward
    return {
        "request": asdict(accepted.request),
        "plan": accepted.plan_key,
        "going_forward": plain(ahead and asdict(ahead)),
    }


def _line_row(quote_row: QuoteRow, position: int, line: QuoteLine) -> QuoteLineRow:
    return QuoteLineRow(
        environment_id=quote_row.environment_id, quote_id=quote_row.id, **said(position, line)
    )


def _instance_row(actor: Actor, state: AccountState, accepted: Quote) -> InstanceRow:
    add_on = state.find_add_on(accepted.request.add_on)
    if add_on is None or state.subscription is None:
        raise ValueError("a quote is of an add-on on a subscription")
    return InstanceRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=state.subscription.id,
        add_on_id=add_on.id,
        add_on_type=add_on.type,
        price_id=accepted.price.id,
        quantity=accepted.request.quantity,
        status=InstanceStatus.PENDING_PAYMENT,
        starts_at=accepted.starts_at,
        ends_at=accepted.ends_at,
        cancel_at=accepted.cancel_at,
        billed_until_at=accepted.billed_until,
        usage_price_ids=[each.id for each in accepted.usage_prices],
        purchased_by=actor.person_id,
    )


def _purchase_row(
    till: Till, actor: Actor, lines: tuple[QuoteLine, ...], quote_row: QuoteRow
) -> PurchaseRow:
    code = quote_row.currency
    return PurchaseRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        quote_id=quote_row.id,
        person_id=actor.person_id,
        status="reserved",
        balance_reserved_minor=-sum_of(lines, LineKind.BALANCE, code).minor,
        carried_reserved_minor=sum_of(lines, LineKind.CARRIED, code).minor,
        spend_minor=spent_by(lines, code).minor,
        held_until=till.wall + HELD_FOR,
        created_at=till.wall,
    )


def plain(value: Any) -> Any:
    """The same shape in what JSON knows; decimals and instants as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
