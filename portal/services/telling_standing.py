"""Posts the notices of a plan that is suspended, comes back, or ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.domain.ending_notices import PlanCancelled, PlanEnded
from portal.domain.instances import SubscriptionStatus
from portal.domain.keeping_notices import PlanKept
from portal.domain.money import Money
from portal.domain.notices import Restored, Suspended
from portal.domain.periods import BillingNow
from portal.domain.renewal_notices import Renewing
from portal.models.accounts import AccountRow
from portal.models.catalog import PlanRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.cancelling import Ending
from portal.services import mailing
from portal.services.till import Till


def restated(till: Till, row: SubscriptionRow, before: SubscriptionStatus, at: BillingNow) -> None:
    """A subscription whose status has just become another: suspended, or out of suspension."""
    if row.status == SubscriptionStatus.SUSPENDED:
        notice: Suspended | Restored = Suspended(row.id, at, owed(till, row))
    elif before is SubscriptionStatus.SUSPENDED and row.status == SubscriptionStatus.ACTIVE:
        notice = Restored(row.id, at)
    else:
        return
    mailing.post(till.session, till.scope, row.account_id, notice)


def plan_cancelled(
    till: Till, row: SubscriptionRow, ending: Ending, renewing: Renewing | None, at: datetime
) -> None:
    """A plan that will end with its term, as was just asked for. renewing: if it is kept."""
    notice = PlanCancelled(
        subscription_id=row.id,
        plan=ending.plan,
        cancelled_at=at,
        keep_until=ending.cancel_at,
        ends_at=ending.ends_at,
        add_ons=tuple(dict.fromkeys(each.instance.add_on.name for each in ending.add_ons)),
        withdrawn=ending.withdrawn,
        renewing=renewing,
    )
    mailing.post(till.session, till.scope, row.account_id, notice)


def plan_kept(
    till: Till,
    row: SubscriptionRow,
    ending: Ending,
    renewing: Renewing | None,
    agreed: tuple[str, ...],
) -> None:
    """One that goes on after all. ending: what it would have come to."""
    goes_on = (each.instance for each in ending.add_ons if each.else_at is not None)
    notice = PlanKept(
        subscription_id=row.id,
        plan=ending.plan,
        kept_at=till.wall,
        add_ons=tuple(dict.fromkeys(each.add_on.name for each in goes_on)),
        renewing=renewing,
        agreed=agreed,
    )
    mailing.post(till.session, till.scope, row.account_id, notice)


def plan_ended(till: Till, row: SubscriptionRow, at: datetime) -> None:
    plan = till.session.get_one(PlanRow, (till.environment_id, row.plan_id))
    notice = PlanEnded(row.id, plan.name, at, owed(till, row))
    mailing.post(till.session, till.scope, row.account_id, notice)


def owed(till: Till, row: SubscriptionRow) -> Money:
    """The sum of a subscription's open invoices, in its account's currency."""
    account = till.session.get_one(AccountRow, (till.environment_id, row.account_id))
    amounts = select(InvoiceRow.charged_minor - CollectionRow.credited_minor).join(
        CollectionRow,
        (CollectionRow.environment_id == InvoiceRow.environment_id)
        & (CollectionRow.invoice_id == InvoiceRow.id),
    )
    mine = amounts.where(
        CollectionRow.environment_id == till.environment_id,
        CollectionRow.subscription_id == row.id,
        CollectionRow.status == "open",
    )
    return Money(sum(till.session.scalars(mine)), account.currency)
