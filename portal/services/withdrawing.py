"""Taking back what was bought for later, before it starts; what was paid for it goes back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.credit_notes import Cause, Destination
from portal.domain.credits import given_back
from portal.domain.errors import Conflict
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus, Phase
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.stored_lines import billed_lines
from portal.queries.subscriptions import Instance
from portal.services.credit_notes import issue, proposal
from portal.services.instances import lock_instance
from portal.services.recording import record
from portal.services.refunding import give_back_credited, send
from portal.services.till import Till, till_of


def withdraw(
    actor: Actor, instance_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> None:
    """Take back what has not started: all that was paid for it goes back, to the card that paid
    it and, for what no card paid, to the balance. Repeating it changes nothing.

    Raises NotFound, Forbidden, or Conflict once it has started.
    Source: product.md §6 (start at next cycle).
    """
    till = till_of(actor, session, gateway, wall)
    row, state, instance = lock_instance(actor, instance_id, session, wall)
    if was_withdrawn(instance):
        session.rollback()
        return
    if instance.phase is not Phase.SCHEDULED:
        session.rollback()
        raise Conflict("only what has not started can be taken back")
    row.status, row.cancel_at = InstanceStatus.ENDED, row.starts_at
    told, subject = EventName.INSTANCE_WITHDRAWN, f"instance:{row.id}"
    record(session, actor.scope, till.doer, told, subject, state.now)
    refund_id = _give_back(till, row, Cause.WITHDRAWN, state.now)
    session.commit()
    if refund_id is not None:
        send(till, refund_id)


def was_withdrawn(instance: Instance) -> bool:
    """Whether it ended before it was ever in force."""
    span = instance.span
    return instance.status is InstanceStatus.ENDED and span.cancel_at == span.starts_at


def give_back_unbegun(till: Till, row: SubscriptionRow, at: BillingNow) -> None:
    """Owe back what was paid for instances that would begin at or after `at`, when all ends.

    The refunds are sent by reconcile. Commit is the caller's, who has the subscription's lock.
    Source: product.md §6 (refunded at once if it cannot start).
    """
    unbegun = till.session.scalars(
        select(InstanceRow).where(
            InstanceRow.environment_id == row.environment_id,
            InstanceRow.subscription_id == row.id,
            InstanceRow.status == InstanceStatus.SCHEDULED,
            InstanceRow.starts_at >= at,
        )
    )
    for instance in unbegun:
        _give_back(till, instance, Cause.NOT_BEGUN, at)


def _give_back(till: Till, row: InstanceRow, why: Cause, at: BillingNow) -> int | None:
    """Credit all of the sale's invoice; the refund that has to be sent, where a card paid."""
    invoice = _invoice_of(till, row)
    if invoice is None:
        return None
    lines = [
        each
        for line in billed_lines(till.session, till.scope, invoice.id)
        for each in given_back(line, line.kept)
    ]
    made = proposal(till.session, invoice, lines, Destination.CARD)
    if not made.credit.total:
        return None
    note = issue(till, made, why, "", f"{why}-{row.id}", at)
    if made.attempt is None or not note.card_minor:
        return None
    return give_back_credited(till, made.attempt, note, at)


def _invoice_of(till: Till, row: InstanceRow) -> InvoiceRow | None:
    """What it was sold with; None for what its first bill would have charged."""
    return till.session.scalar(
        select(InvoiceRow)
        .join(PurchaseRow, PurchaseRow.id == InvoiceRow.purchase_id)
        .where(
            InvoiceRow.environment_id == row.environment_id,
            PurchaseRow.environment_id == row.environment_id,
            PurchaseRow.instance_id == row.id,
            PurchaseRow.kind == "add_on",
        )
    )
