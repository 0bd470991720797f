"""Auto-recharge: each policy that asks to be looked at is decided on, and its pack bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import structlog
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.errors import PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.purchases import Failure
from portal.domain.recharge_decisions import Cause, Decision, PauseCause, Trigger, decide
from portal.domain.recharge_notices import RechargeChanged, RechargeLimited, RechargeShort
from portal.models.accounts import AccountRow
from portal.models.purchases import MAY_STILL_TAKE, PurchaseRow
from portal.models.recharge import RechargeConsentRow, RechargeDecisionRow, RechargePolicyRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.recharge import (
    buyer,
    card_for,
    in_flight,
    pack_quote,
    policy_of,
    standing_of,
)
from portal.queries.spending import ceiling_of
from portal.services import mailing
from portal.services.accepting import ask_first, lock_subscription
from portal.services.alone import alone
from portal.services.attempts import SavedWay, debt_of, last_attempt, read_purchase
from portal.services.capacity import open_windows_now
from portal.services.charging import Unpaid
from portal.services.recharge_news import ASKED_FOR, names_of, note, pause, tell_paused
from portal.services.recording import Doer
from portal.services.reserving import reserve, start_paying
from portal.services.settlement import let_go
from portal.services.till import Till

log = structlog.get_logger()
DOER = "auto-recharge"
TOLD_ONCE = (Cause.BOUGHT, Cause.DECLINED)
"""Causes that are written each time; another is only when it is not the last one's."""
PAUSES: dict[Cause, PauseCause] = {
    Cause.NO_CARD: PauseCause.NO_CARD,
    Cause.PRICE_CHANGED: PauseCause.PRICE_CHANGED,
    Cause.NOT_SOLD: PauseCause.NOT_SOLD,
}
"""What only a member can do something about."""
LOOKS: dict[Cause, Trigger] = {Cause.CAP: Trigger.CAP_RESET, Cause.CEILING: Trigger.CAP_RESET}


@dataclass(frozen=True, slots=True)
class _Looked:
    """A policy under its lock, and what the account is like then."""

    row: RechargePolicyRow
    state: AccountState
    feature: Feature
    decision: Decision
    remaining: Decimal | None
    agreed: Mapping[str, Money]


def run_due(session: Session, scope: Scope, *, gateway: PaymentGateway, wall: WallNow) -> int:
    """Decide on every policy that is to be looked at by its account's clock; commit; how many.

    Any number of workers may do so at once: the subscription's row puts them in line, and what
    was decided once is not looked at again. Source: product.md §6 (auto-recharge).
    """
    till = Till(session, gateway, scope, wall, Doer(DOER))
    found = _due(till)
    for policy_id in found:
        with alone(session, "recharge_not_decided", policy_id=policy_id):
            evaluate(till, policy_id)
    return len(found)


def evaluate(till: Till, policy_id: int) -> None:
    """Decide on one policy, and buy. Repeating it, or dying anywhere, buys nothing twice: what is
    bought is stored with the decision, under a nonce of its own, before anything is charged."""
    row = till.session.get_one(RechargePolicyRow, (till.environment_id, policy_id))
    till = till.about(row.account_id)
    if row.look_for in ASKED_FOR:
        _let_refused_go(till, row)
    looked = _look(till, row)
    if looked is None:
        till.session.rollback()
        return
    purchase = _act(till, looked)
    purchase_id = purchase.id if purchase is not None else None
    till.session.commit()
    if purchase_id is not None:
        _charge(till, purchase_id)


def _due(till: Till) -> list[int]:
    row = RechargePolicyRow
    account = and_(AccountRow.environment_id == row.environment_id, AccountRow.id == row.account_id)
    found = till.session.scalars(
        select(row.id)
        .join(AccountRow, account)
        .where(
            row.environment_id == till.environment_id,
            row.status == "on",
            row.look_at <= func.coalesce(AccountRow.test_clock_at, till.wall),
        )
        .order_by(row.look_at, row.id)
    ).all()
    till.session.commit()
    return list(found)


def _let_refused_go(till: Till, row: RechargePolicyRow) -> None:
    """What the bank refused waits for another card; a policy that goes on, or is agreed to anew,
    buys anew instead."""
    for purchase_id in in_flight(till.session, row):
        purchase = read_purchase(till.session, till.scope, purchase_id)
        last = last_attempt(till.session, debt_of(purchase))
        if last is not None and last.status not in MAY_STILL_TAKE:
            let_go(till, purchase_id, Failure.DECLINED)


def _look(till: Till, row: RechargePolicyRow) -> _Looked | None:
    """Lock the subscription, then the policy, and decide; None when it was decided meanwhile."""
    session, account_id, key = till.session, row.account_id, (row.environment_id, row.id)
    before = account_state(session, till.scope, account_id, till.wall)
    open_windows_now(session, till.scope, before)
    lock_subscription(session, buyer(till.scope, account_id))
    session.get_one(
        RechargePolicyRow, key, with_for_update={"key_share": True}, populate_existing=True
    )
    state = account_state(session, till.scope, account_id, till.wall)
    if row.status != "on" or row.look_at is None or row.look_at > state.now:
        return None
    feature = next(f for f in state.catalog.features if f.id == row.feature_id)
    standing = standing_of(session, till.scope, state, row, feature)
    policy = policy_of(session, row, state)
    decision = decide(policy, standing)
    return _Looked(row, state, feature, decision, standing.remaining, policy.agreed)


def _act(till: Till, looked: _Looked) -> PurchaseRow | None:
    """Write the decision and what follows from it; commit is the caller's."""
    row, decision = looked.row, looked.decision
    trigger = Trigger(row.look_for)
    purchase = _buy(till, looked) if decision.cause is Cause.BOUGHT else None
    _note(till, looked, trigger, purchase)
    row.look_at = decision.look_at
    row.look_for = LOOKS.get(decision.cause, Trigger.AGAIN) if decision.look_at else ""
    if decision.cause in PAUSES:
        _pause(till, looked)
    if decision.cause in (Cause.CAP, Cause.CEILING):
        _tell_limited(till, looked)
    if purchase is not None and not decision.clears and decision.pack is not None:
        feature, name = looked.feature.name, decision.pack.name
        short = RechargeShort(purchase.id, feature, name, row.threshold)
        mailing.post(till.session, till.scope, row.account_id, short)
    return purchase


def _pause(till: Till, looked: _Looked) -> None:
    """Nothing more is decided until a member does something; say so by mail."""
    row, decision = looked.row, looked.decision
    pause(till, row, PAUSES[decision.cause])
    pack = decision.pack
    if decision.cause is Cause.NO_CARD and pack is not None:
        tell_paused(till, row, pack.amount, None, None, asks=False)
        return
    feature, name = names_of(till, row)
    now, then = (pack.amount, looked.agreed.get(pack.add_on)) if pack else (None, None)
    named = pack.name if pack else name
    changed = RechargeChanged(row.id, feature, named, then, now, looked.state.now)
    mailing.post(till.session, till.scope, row.account_id, changed)


def _note(till: Till, looked: _Looked, trigger: Trigger, purchase: PurchaseRow | None) -> None:
    """Append the decision, unless it only repeats the last one."""
    row, decision = looked.row, looked.decision
    repeats = decision.cause not in TOLD_ONCE and decision.cause == _last_cause(till, row)
    if repeats and trigger not in ASKED_FOR:
        return
    pack, state = decision.pack, looked.state
    add_on = state.find_add_on(pack.add_on) if pack else None
    note(
        till, row, decision.cause, trigger,
        remaining=looked.remaining,
        add_on_id=add_on.id if add_on else row.add_on_id,
        amount_minor=pack.amount.minor if pack else None,
        clears=decision.clears,
        until_at=decision.until,
        purchase_id=purchase.id if purchase else None,
    )  # fmt: skip


def _last_cause(till: Till, row: RechargePolicyRow) -> str | None:
    decided = RechargeDecisionRow
    return till.session.scalar(
        select(decided.cause)
        .where(decided.environment_id == row.environment_id, decided.policy_id == row.id)
        .order_by(decided.id.desc())
        .limit(1)
    )


def _buy(till: Till, looked: _Looked) -> PurchaseRow:
    """Hold one pack for the member who agreed to it, to be charged to the saved card."""
    row, state, pack = looked.row, looked.state, looked.decision.pack
    add_on = state.find_add_on(pack.add_on) if pack else None
    if add_on is None:
        raise ValueError("a pack is an add-on of the catalog")
    row.rounds, row.tried_at = row.rounds + 1, state.now
    actor = buyer(till.scope, row.account_id, _consented(till, row))
    quoted, nonce = pack_quote(state, add_on), f"recharge-{row.id}-{row.rounds}"
    purchase = reserve(till, actor, state, quoted, nonce, row.id)
    card = card_for(till.session, row)
    if quoted.charged and card is not None:
        customer = state.account.stripe_customer_id or ""
        start_paying(till, purchase, add_on.name, quoted.charged, SavedWay(card), customer, "")
    return purchase


def _charge(till: Till, purchase_id: int) -> None:
    """Nobody is there: what the bank does not answer is asked again by reconcile, and what only
    failed on the way is let go, to be tried again after the cooldown."""
    try:
        outcome = ask_first(till, purchase_id)
    except PaymentsUnavailable:
        log.exception("recharge_not_charged", purchase_id=purchase_id)
        return
    purchase = read_purchase(till.session, till.scope, purchase_id)
    row = till.session.get_one(RechargePolicyRow, (till.environment_id, purchase.policy_id))
    if isinstance(outcome, Unpaid) and row.status != "paused":
        let_go(till, purchase_id, Failure.DECLINED)


def _consented(till: Till, row: RechargePolicyRow) -> int:
    """Who agreed to the policy as it is."""
    agreed = RechargeConsentRow
    return till.session.scalars(
        select(agreed.person_id)
        .where(agreed.environment_id == row.environment_id, agreed.policy_id == row.id)
        .order_by(agreed.id.desc())
        .limit(1)
    ).one()


def _tell_limited(till: Till, looked: _Looked) -> None:
    """Once a month and limit."""
    row, decision, state = looked.row, looked.decision, looked.state
    if decision.pack is None or decision.until is None:
        return
    is_ceiling = decision.cause is Cause.CEILING
    limit = Money(row.cap_minor, row.currency)
    if is_ceiling:
        limit = ceiling_of(till.session, till.environment_id, state).amount
    feature, _ = names_of(till, row)
    notice = RechargeLimited(
        row.id, feature, decision.pack.name, decision.pack.amount, limit, is_ceiling,
        decision.until,
    )  # fmt: skip
    mailing.post(till.session, till.scope, row.account_id, notice)
