"""The staff take an add-on away at once; what is unused of it is credited to the balance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.credit_notes import Cause, Destination
from portal.domain.credits import credit_lines
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus, Phase
from portal.domain.money import Money, total
from portal.domain.periods import BillingNow, WallNow
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import account_state
from portal.queries.stored_lines import stored_lines
from portal.queries.subscriptions import Instance
from portal.services import telling_credits
from portal.services.credit_notes import Proposal, clear, issue, lock, proposal
from portal.services.instances import REASON_LENGTH, find_instance
from portal.services.lot_ending import end_lots
from portal.services.recording import record
from portal.services.till import Till


@dataclass(frozen=True, slots=True)
class Removal:
    """What taking an instance away would come to; a proposal for each invoice that billed it."""

    account_id: int
    instance: Instance
    currency: str
    notes: tuple[Proposal, ...]
    at: BillingNow

    @property
    def credited(self) -> Money:
        return total([each.credit.total for each in self.notes], self.currency)


def foresee(session: Session, scope: Scope, instance_id: int, wall: WallNow) -> Removal:
    """What `end` would do now.

    Only what is stored as billed is credited, and only its share that lies ahead. Raises NotFound,
    and Conflict for what is charged once, has not begun, or has ended.
    Source: product.md §11 (P5-P11, adapted).
    """
    row = session.get(InstanceRow, (scope.environment_id, instance_id), populate_existing=True)
    if row is None:
        raise NotFound(f"there is no instance {instance_id}")
    state = account_state(session, scope, row.account_id, wall)
    instance = find_instance(state, instance_id)
    _refuse_what_cannot_end(instance)
    ahead = [line for line in stored_lines(session, scope, state) if line.instance_id == row.id]
    notes = []
    for invoice_id, group in groupby(ahead, key=lambda line: line.invoice_id):
        lines = [each for line in group for each in credit_lines(line, state.now)]
        if lines:
            invoice = session.get_one(InvoiceRow, (scope.environment_id, invoice_id))
            notes.append(proposal(session, invoice, lines, Destination.BALANCE))
    return Removal(row.account_id, instance, state.account.currency, tuple(notes), state.now)


def end(till: Till, instance_id: int, reason: str) -> tuple[int, ...]:
    """End access now and credit what is unused; the numbers of the credit notes. Commits.

    Raises as `foresee` does, and Conflict while a payment of one of its invoices is under way.
    """
    seen = foresee(till.session, till.scope, instance_id, till.wall)
    till, invoices = till.about(seen.account_id), [each.invoice for each in seen.notes]
    for invoice in invoices:
        clear(till, invoice)
    _lock_subscription(till, instance_id)
    for invoice in invoices:
        lock(till, invoice)
    removal = foresee(till.session, till.scope, instance_id, till.wall)
    _stop(till, removal, reason)
    numbers = tuple(
        issue(till, made, Cause.ENDED, reason, _key(instance_id, made), removal.at).number
        for made in removal.notes
    )
    telling_credits.ended(
        till, removal.account_id, removal.instance, reason, removal.credited, removal.at
    )
    till.session.commit()
    return numbers


def _lock_subscription(till: Till, instance_id: int) -> None:
    row = till.session.get_one(InstanceRow, (till.environment_id, instance_id))
    key = (till.environment_id, row.subscription_id)
    till.session.get_one(SubscriptionRow, key, with_for_update=True, populate_existing=True)


def _refuse_what_cannot_end(instance: Instance) -> None:
    if not instance.price.is_recurring:
        raise Conflict("what is charged once is not taken away: it stays until its own end")
    if instance.phase is Phase.SCHEDULED:
        raise Conflict("it has not begun yet")
    if instance.phase is Phase.ENDED:
        raise Conflict("it has ended already")


def _stop(till: Till, removal: Removal, reason: str) -> None:
    """Access ends by the clock, at once; so do units that would have ended by themselves."""
    key, at = (till.environment_id, removal.instance.id), removal.at
    row = till.session.get_one(InstanceRow, key, with_for_update=True, populate_existing=True)
    row.cancel_at, row.status = at, InstanceStatus.ENDED
    row.cancel_reason = reason.strip()[:REASON_LENGTH]
    row.next_quantity = row.next_quantity_at = None
    end_lots(till.session, till.scope, row.id, at)
    told, subject = EventName.INSTANCE_ENDED, f"instance:{row.id}"
    record(till.session, till.scope, till.doer, told, subject, at, reason=reason)


def _tell(till: Till, removal: Removal, reason: str) -> None:
    telling_credits.ended(
        till, removal.account_id, removal.instance, reason, removal.credited, removal.at
    )


def _key(instance_id: int, made: Proposal) -> str:
    return f"ended-{instance_id}-{made.invoice.id}"
