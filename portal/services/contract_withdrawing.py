"""A consumer withdraws from a contract: it ends at once, and what is due back goes back, once."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.credit_notes import Cause
from portal.domain.ending_notices import ContractWithdrawn
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus, Phase
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.accounts import PersonRow
from portal.models.events import EventRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import account_state
from portal.queries.subscriptions import Instance
from portal.services import mailing
from portal.services.accepting import lock_subscription
from portal.services.arrears import hold_use, waive_use
from portal.services.contract_withdrawals import (
    NoRightToWithdraw,
    Withdrawal,
    foresee_add_on,
    foresee_plan,
)
from portal.services.credit_notes import clear, issue, lock
from portal.services.ending import end
from portal.services.lot_ending import end_lots, end_plan_lots
from portal.services.recharge_policies import turn_off_with
from portal.services.recording import record
from portal.services.refunding import give_back_credited, send
from portal.services.switching import withdraw_agreed
from portal.services.telling_standing import owed
from portal.services.till import Till, till_of


def withdraw_from(
    actor: Actor,
    instance_id: int | None,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> Withdrawal | None:
    """End an add-on now, or the plan with all of them, and give back what is due.

    instance_id: None for the plan. None when it was done before. Commits. Raises Forbidden,
    NotFound, NoRightToWithdraw, and Conflict while a payment of it is under way.
    Source: Directive 2011/83/EU art. 9, 11a, 13, 15; ADR 0029.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    seen = _foresee(till, actor, instance_id)
    for note in seen.notes if seen else ():
        clear(till, note.invoice)
    row = lock_subscription(session, actor)
    if row is not None:
        hold_use(session, row)
    made = _foresee(till, actor, instance_id)
    if made is None or row is None:
        session.rollback()
        return None
    refunds = _give_back(till, made)
    _stop(till, row, made)
    _tell(till, actor, row, made)
    session.commit()
    for refund_id in refunds:
        send(till, refund_id)
    return made


def _foresee(till: Till, actor: Actor, instance_id: int | None) -> Withdrawal | None:
    """None when it was done before. Raises NoRightToWithdraw, with nothing locked."""
    session, scope = till.session, till.scope
    state = account_state(session, scope, actor.account_id, till.wall)
    try:
        if instance_id is None:
            return foresee_plan(session, scope, state)
        return foresee_add_on(session, scope, state, instance_id)
    except NoRightToWithdraw:
        if _was_done(till, actor, instance_id):
            return None
        session.rollback()
        raise


def _was_done(till: Till, actor: Actor, instance_id: int | None) -> bool:
    """Whether somebody of the account did it; of plans, that of the last one."""
    last = select(func.max(SubscriptionRow.id)).where(
        SubscriptionRow.environment_id == actor.environment_id,
        SubscriptionRow.account_id == actor.account_id,
    )
    subject = f"instance:{instance_id}"
    if instance_id is None:
        subject = f"subscription:{till.session.scalar(last)}"
    done = exists().where(
        EventRow.environment_id == actor.environment_id,
        EventRow.account_id == actor.account_id,
        EventRow.name == EventName.CONTRACT_WITHDRAWN,
        EventRow.subject == subject,
    )
    return bool(till.session.scalar(select(done)))


def _give_back(till: Till, made: Withdrawal) -> list[int]:
    """Issue the credit notes; ids of the refunds that are to be sent."""
    refunds = []
    for note in made.notes:
        lock(till, note.invoice)
        key = f"withdrawn-{made.subject}-{note.invoice.id}"
        row = issue(till, note, Cause.CONTRACT_WITHDRAWN, "", key, made.at)
        if note.attempt is not None and row.card_minor:
            refunds.append(give_back_credited(till, note.attempt, row, made.at))
    return refunds


def _stop(till: Till, row: SubscriptionRow, made: Withdrawal) -> None:
    """Auto-recharge of what goes with it would buy it again."""
    for instance in made.ends:
        end_lots(till.session, till.scope, instance.id, made.at, all_of_them=True)
        entitled = [each.feature for each in instance.add_on.entitlements]
        credited = [each.feature for each in instance.add_on.credit_grants]
        turn_off_with(till, row.account_id, entitled + credited)
    if made.instance is not None:
        _stop_add_on(till, made.instance, made)
        return
    withdraw_agreed(till, row, made.at)
    waive_use(till.session, till.scope, row, made.at, till.wall)
    row.cancel_at = made.at
    end_plan_lots(till.session, row, made.at, all_of_them=True)
    end(till, row, made.at)


def _stop_add_on(till: Till, instance: Instance, made: Withdrawal) -> None:
    key = (till.environment_id, instance.id)
    row = till.session.get_one(InstanceRow, key, with_for_update=True, populate_existing=True)
    begun = instance.phase is not Phase.SCHEDULED
    row.status, row.cancel_at = InstanceStatus.ENDED, made.at if begun else row.starts_at
    row.next_quantity = row.next_quantity_at = None
    told = EventName.INSTANCE_ENDED if begun else EventName.INSTANCE_WITHDRAWN
    record(till.session, till.scope, till.doer, told, made.subject, made.at)


def _tell(till: Till, actor: Actor, row: SubscriptionRow, made: Withdrawal) -> None:
    told, name = EventName.CONTRACT_WITHDRAWN, made.name
    amount = {"credited": made.credited.minor, "currency": made.currency}
    record(till.session, till.scope, till.doer, told, made.subject, made.at, name=name, **amount)
    person = till.session.get_one(PersonRow, (till.environment_id, actor.person_id))
    notice = ContractWithdrawn(
        subject=made.subject,
        name=name,
        quantity=made.instance.quantity if made.instance else 1,
        person=person.name,
        at=made.at,
        credited=made.credited,
        off_invoice=made.off_invoice,
        to_card=made.to_card,
        to_balance=made.to_balance,
        add_ons=() if made.instance else tuple(each.add_on.name for each in made.ends),
        owed=None if made.instance else owed(till, row),
        waived=made.waived or None,
    )
    mailing.post(till.session, till.scope, actor.account_id, notice)
