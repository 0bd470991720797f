"""Overdue invoices that the default card was not tried for yet."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import CollectionRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow


def untried(session: Session, scope: Scope, account_id: int | None = None) -> list[int]:
    """Ids of invoices whose charge has failed, oldest first, of one account or of all.

    Tried is the number of a card, however often it was saved. Left out are cards that their bank
    forbids to try again, and plans that have ended: what is still open of those is paid by hand.
    """
    card = PaymentMethodRow
    wanted = (
        select(CollectionRow.invoice_id)
        .join(SubscriptionRow, and_(
            SubscriptionRow.environment_id == CollectionRow.environment_id,
            SubscriptionRow.id == CollectionRow.subscription_id,
        ))
        .join(card, and_(
            card.environment_id == CollectionRow.environment_id,
            card.account_id == CollectionRow.account_id,
        ))
        .where(
            CollectionRow.environment_id == scope.environment_id,
            CollectionRow.status == "open",
            CollectionRow.failed_at.is_not(None),
            SubscriptionRow.ended_at.is_(None),
            card.is_default,
            card.detached_at.is_(None),
            card.refused_at.is_(None),
            ~_was_tried(),
        )
    )  # fmt: skip
    if account_id is not None:
        wanted = wanted.where(CollectionRow.account_id == account_id)
    return list(session.scalars(wanted.order_by(CollectionRow.invoice_id)))


def _was_tried() -> ColumnElement[bool]:
    """Whether the number of the card was tried for the invoice."""
    attempt, tried = PaymentAttemptRow, aliased(PaymentMethodRow)
    with_number = and_(
        tried.environment_id == attempt.environment_id,
        tried.id == attempt.payment_method_id,
        tried.fingerprint == PaymentMethodRow.fingerprint,
    )
    found = select(attempt.id).join(tried, with_number)
    return found.where(
        attempt.environment_id == CollectionRow.environment_id,
        attempt.invoice_id == CollectionRow.invoice_id,
        attempt.status != "expired",
    ).exists()
