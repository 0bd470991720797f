"""What auto-recharge makes of news: a draw, a charge's end, another card; and what it writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarResult, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declines import DeclineReason
from portal.domain.events import EventName
from portal.domain.jobs import RECHARGE
from portal.domain.money import Money
from portal.domain.payments import Declined, NeedsAuthentication
from portal.domain.recharge_decisions import LOOK_AGAIN, Cause, PauseCause, Trigger
from portal.domain.recharge_notices import RechargePaused
from portal.models.catalog import AddOnRow, FeatureRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.models.recharge import RechargeDecisionRow, RechargePolicyRow
from portal.models.usage import LotRow
from portal.services import mailing
from portal.services.queueing import enqueue
from portal.services.recording import record
from portal.services.till import Till

AUTHENTICATION = "authentication_required"
NEXT_LOOK = timedelta(minutes=1)
"""How soon reports may ask again about what was not bought."""
REPORTED = (Cause.IN_FLIGHT, Cause.COOLDOWN)
"""Causes whose end is known, or is news; no draw ends them."""
ASKED_FOR = (Trigger.SAVE, Trigger.RESUME)
"""What a member waits for an answer to."""
BY_CARD = (PauseCause.DECLINED, PauseCause.AUTHENTICATION, PauseCause.NO_CARD)


def drawn(session: Session, scope: Scope, account_id: int, at: datetime) -> None:
    """Let what has fallen below its threshold be looked at; commit is the caller's.

    The first report that finds it so asks, and no other until that was answered. What waits for
    a cause whose end nobody reports is looked at too, a minute after the last time at the soonest.
    """
    row = RechargePolicyRow
    fallen = (
        update(row)
        .where(
            row.environment_id == scope.environment_id,
            row.account_id == account_id,
            row.status == "on",
            or_(row.look_at.is_(None), _may_be_over()),
            row.threshold > _left(at),
        )
        .values(
            look_at=func.greatest(at, func.coalesce(row.look_at, at) - (LOOK_AGAIN - NEXT_LOOK)),
            look_for=Trigger.DRAW,
        )
    )
    marked = session.scalars(fallen.returning(row.look_at)).all()
    if any(due is not None and due <= at for due in marked):
        enqueue(session, scope, RECHARGE)


def look(till: Till, row: RechargePolicyRow, trigger: Trigger) -> None:
    """Let a policy be evaluated soon; commit is the caller's."""
    row.look_at, row.look_for = till.account_now(row.account_id), trigger
    till.session.flush()
    enqueue(till.session, till.scope, RECHARGE)


def bought(till: Till, purchase: PurchaseRow) -> None:
    """A pack is paid: what is left now is looked at again."""
    row = _policy(till, purchase)
    if row is not None and row.status == "on":
        look(till, row, Trigger.SETTLE)


def let_go(till: Till, purchase: PurchaseRow) -> None:
    """A pack came to nothing: whatever was in its way is looked at again."""
    row = _policy(till, purchase)
    if row is not None and row.status == "on":
        look(till, row, Trigger(row.look_for) if row.look_for in ASKED_FOR else Trigger.AGAIN)


def refused(till: Till, attempt: PaymentAttemptRow, answer: Declined | NeedsAuthentication) -> None:
    """A pack's charge took nothing. The bank's word pauses the policy; a failure on the way does
    not. Commit is the caller's."""
    key = (till.environment_id, attempt.purchase_id)
    purchase = till.session.get_one(PurchaseRow, key)
    row = _policy(till, purchase)
    if row is None or row.status != "on":
        return
    amount = Money(attempt.amount_minor, attempt.currency)
    reason = answer.reason if isinstance(answer, Declined) else AUTHENTICATION
    note(till, row, Cause.DECLINED, Trigger.SETTLE, purchase_id=purchase.id, reason=reason,
         amount_minor=amount.minor)  # fmt: skip
    if reason == DeclineReason.PROCESSING_ERROR:
        return
    asks = isinstance(answer, NeedsAuthentication)
    pause(till, row, PauseCause.AUTHENTICATION if asks else PauseCause.DECLINED)
    row.refused_card_id = attempt.payment_method_id
    why = DeclineReason.AUTHENTICATION_FAILED if asks else DeclineReason(reason)
    tell_paused(till, row, amount, why, purchase.id, asks=asks)


def tell_paused(
    till: Till, row: RechargePolicyRow, amount: Money, why: DeclineReason | None,
    purchase_id: int | None, *, asks: bool,
) -> None:  # fmt: skip
    """Mail that the policy is paused, and the way out."""
    feature, pack = names_of(till, row)
    at = till.account_now(row.account_id)
    notice = RechargePaused(row.id, feature, pack, amount, why, asks, purchase_id, at)
    mailing.post(till.session, till.scope, row.account_id, notice)


def card_changed(till: Till, account_id: int) -> None:
    """A card was added, or another is the default: what a card had paused goes on."""
    row = RechargePolicyRow
    for policy in _locked(till, account_id, row.status == "paused", row.pause_cause.in_(BY_CARD)):
        resume(till, policy)


def restored(till: Till, account_id: int) -> None:
    """The plan may buy again, or goes on: what waited for that is looked at now."""
    for policy in _locked(till, account_id, RechargePolicyRow.status == "on", _may_be_over()):
        look(till, policy, Trigger.AGAIN)


def unlimited(till: Till, account_id: int, trigger: Trigger) -> None:
    """The month has more room: what waited for the next one is looked at now. Policies are locked
    before the month's sums, as whoever decides on one does."""
    row = RechargePolicyRow
    waits = row.look_for == Trigger.CAP_RESET
    for policy in _locked(till, account_id, row.status == "on", waits):
        look(till, policy, trigger)


def _locked(
    till: Till, account_id: int, *which: ColumnElement[bool]
) -> ScalarResult[RechargePolicyRow]:
    """The account's policies of one kind, locked in one order."""
    row = RechargePolicyRow
    mine = select(row).where(
        row.environment_id == till.environment_id, row.account_id == account_id, *which
    )
    return till.session.scalars(mine.order_by(row.id).with_for_update(key_share=True))


def pause(till: Till, row: RechargePolicyRow, cause: PauseCause) -> None:
    row.status, row.pause_cause, row.look_at, row.look_for = "paused", cause, None, ""
    _record(till, row, EventName.RECHARGE_PAUSED, cause=cause)


def resume(till: Till, row: RechargePolicyRow) -> None:
    row.status, row.pause_cause = "on", ""
    _record(till, row, EventName.RECHARGE_RESUMED)
    look(till, row, Trigger.RESUME)


def note(till: Till, row: RechargePolicyRow, cause: Cause, trigger: Trigger, **detail: Any) -> None:
    """Append one decision; the same about the same purchase only once."""
    values = {
        "remaining": None, "add_on_id": row.add_on_id, "amount_minor": None, "clears": True,
        "reason": "", "until_at": None, "purchase_id": None,
    } | detail  # fmt: skip
    decided = insert(RechargeDecisionRow).values(
        environment_id=till.environment_id,
        account_id=row.account_id,
        policy_id=row.id,
        cause=cause,
        trigger=trigger,
        threshold=row.threshold,
        currency=row.currency,
        at=till.account_now(row.account_id),
        **values,
    )
    till.session.execute(decided.on_conflict_do_nothing())


def names_of(till: Till, row: RechargePolicyRow) -> tuple[str, str]:
    """Of the feature and of the pack that was chosen."""
    feature = till.session.get_one(FeatureRow, (till.environment_id, row.feature_id))
    add_on = till.session.get_one(AddOnRow, (till.environment_id, row.add_on_id))
    return feature.name, add_on.name


def _record(till: Till, row: RechargePolicyRow, event: EventName, **detail: str) -> None:
    at = till.account_now(row.account_id).astimezone(UTC)
    record(till.session, till.scope, till.doer, event, f"recharge:{row.id}", at, **detail)


def _policy(till: Till, purchase: PurchaseRow) -> RechargePolicyRow | None:
    """The auto-recharge that buys it, under its row lock."""
    if purchase.policy_id is None:
        return None
    key = (till.environment_id, purchase.policy_id)
    return till.session.get(
        RechargePolicyRow, key, with_for_update={"key_share": True}, populate_existing=True
    )


def _may_be_over() -> ColumnElement[bool]:
    """Whether a policy waits only since nobody reports the end of its last decision's cause."""
    row, decided = RechargePolicyRow, RechargeDecisionRow
    last = (
        select(decided.cause)
        .where(decided.environment_id == row.environment_id, decided.policy_id == row.id)
        .order_by(decided.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return and_(row.look_for == Trigger.AGAIN, last.not_in(REPORTED))


def _left(at: datetime) -> ColumnElement[Any]:
    """What is left of a policy's feature, for a statement about policies."""
    row = RechargePolicyRow
    return (
        select(func.coalesce(func.sum(LotRow.remaining), 0))
        .where(
            LotRow.environment_id == row.environment_id,
            LotRow.account_id == row.account_id,
            LotRow.feature_id == row.feature_id,
            LotRow.effective_at <= at,
            or_(LotRow.expires_at.is_(None), LotRow.expires_at > at),
        )
        .scalar_subquery()
    )
