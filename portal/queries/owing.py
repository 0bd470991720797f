"""What an account owes by now, and what comes of it while it is not paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain import dunning
from portal.domain.access import Scope
from portal.domain.dunning import Unpaid
from portal.domain.instances import SubscriptionStatus
from portal.domain.money import Money
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.queries.accounts import AccountState
from portal.queries.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Owing:
    """amount: of all invoices whose charge has failed. retry_at: None when nothing is tried again.

    suspends_at: when service stops unpaid; ends_at: when it stops before that, with a plan that is
    cancelled. Both None once it has stopped.
    """

    amount: Money
    retry_at: datetime | None = None
    suspends_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def is_suspended(self) -> bool:
        return self.suspends_at is None


def owing(session: Session, scope: Scope, state: AccountState) -> Owing | None:
    """None while nothing is overdue."""
    subscription = state.subscription
    if subscription is None or subscription.status not in (
        SubscriptionStatus.PAST_DUE,
        SubscriptionStatus.SUSPENDED,
    ):
        return None
    rows = _failed(session, scope, subscription)
    amount = Money(sum(left for _row, left in rows), state.account.currency)
    if subscription.status is SubscriptionStatus.SUSPENDED:
        return Owing(amount)
    unpaid = [
        Unpaid(row.invoice_id, row.failed_at, row.retries, frozenset(row.refused_cards))
        for row, _left in rows
        if row.failed_at is not None
    ]
    zone, ends_at = state.account.zone, subscription.ends_at
    retry_at = dunning.next_try(unpaid, _card(session, scope, state.account.id), zone)
    suspends_at = dunning.suspension_at(unpaid, zone)
    ends_first = ends_at is not None and suspends_at is not None and ends_at < suspends_at
    if retry_at is not None and ends_at is not None and retry_at > ends_at:
        retry_at = None
    return Owing(amount, retry_at, suspends_at, ends_at if ends_first else None)


def _failed(
    session: Session, scope: Scope, subscription: Subscription
) -> list[tuple[CollectionRow, int]]:
    """Each with what is left to pay of it, in minor units."""
    found = session.execute(
        select(CollectionRow, InvoiceRow.charged_minor - CollectionRow.credited_minor)
        .join(
            InvoiceRow,
            (InvoiceRow.environment_id == CollectionRow.environment_id)
            & (InvoiceRow.id == CollectionRow.invoice_id),
        )
        .where(
            CollectionRow.environment_id == scope.environment_id,
            CollectionRow.subscription_id == subscription.id,
            CollectionRow.status == "open",
            CollectionRow.failed_at.is_not(None),
        )
        .execution_options(populate_existing=True)
    )
    return [(row, left) for row, left in found]


def _card(session: Session, scope: Scope, account_id: int) -> str | None:
    """The fingerprint of the default card, where it may be tried."""
    return session.scalar(
        select(PaymentMethodRow.fingerprint).where(
            PaymentMethodRow.environment_id == scope.environment_id,
            PaymentMethodRow.account_id == account_id,
            PaymentMethodRow.is_default,
            PaymentMethodRow.detached_at.is_(None),
            PaymentMethodRow.refused_at.is_(None),
        )
    )
