"""The one idempotent end of every payment: webhook, repeated form and reconcile all come here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.ledger import settlement_transfers
from portal.domain.payments import Declined, NeedsAuthentication, Paid
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow
from portal.models.ledger import TransferRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, QuoteLineRow, QuoteRow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import account_state, billing_now
from portal.services.balances import give_back, take
from portal.services.capacity import open_purchased
from portal.services.invoicing import Sale, issue_invoice, settlement_of
from portal.services.recording import Doer, record


def settle(
    session: Session, scope: Scope, purchase_id: int, paid: Paid | None, doer: Doer, wall: WallNow
) -> None:
    """Unlock what was bought and post its money, once; then commit.

    paid: None when nothing had to be charged. A second call, from anywhere, changes nothing.
    Raises NotFound for a purchase of another scope, Conflict for one that has failed.
    """
    sale = _lock(session, scope, purchase_id)
    if sale.purchase.status == "settled":
        session.rollback()
        return
    if sale.purchase.status == "failed":
        session.rollback()
        raise Conflict(f"purchase {purchase_id} failed, yet a payment succeeded")
    at = _account_now(session, sale.purchase, wall)
    sale.purchase.status, sale.purchase.settled_at = "settled", at
    if sale.attempt and paid:
        sale.attempt.status, sale.attempt.reference = "succeeded", paid.reference
        sale.attempt.finished_at = wall
    take(session, sale.purchase, sale.quote.carried_out_minor)
    _post_transfers(session, sale, at)
    issue_invoice(session, scope, sale, doer, at)
    _start_instance(session, scope, sale, doer, wall)
    record(
        session, scope, doer, EventName.PURCHASE_SETTLED, f"purchase:{purchase_id}", at,
        reference=paid.reference if paid else None,
    )  # fmt: skip
    session.commit()


def fail(
    session: Session,
    scope: Scope,
    purchase_id: int,
    outcome: Declined | NeedsAuthentication,
    doer: Doer,
    wall: WallNow,
) -> None:
    """Record that nothing was taken and let go of what was held, once; then commit."""
    sale = _lock(session, scope, purchase_id)
    if sale.purchase.status != "reserved":
        session.rollback()
        return
    sale.purchase.status = "failed"
    if sale.attempt:
        _mark_refused(sale.attempt, outcome, wall)
    give_back(session, sale.purchase)
    instance = session.get_one(InstanceRow, (scope.environment_id, sale.purchase.instance_id))
    instance.status = InstanceStatus.FAILED
    at = _account_now(session, sale.purchase, wall)
    record(
        session, scope, doer, EventName.PURCHASE_DECLINED, f"purchase:{purchase_id}", at,
        outcome=type(outcome).__name__,
    )  # fmt: skip
    session.commit()


def _lock(session: Session, scope: Scope, purchase_id: int) -> Sale:
    mine = PurchaseRow.environment_id == scope.environment_id
    purchase = session.scalar(
        select(PurchaseRow)
        .where(mine, PurchaseRow.id == purchase_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if purchase is None:
        raise NotFound("purchase")
    quote = session.get_one(QuoteRow, (scope.environment_id, purchase.quote_id))
    lines = select(QuoteLineRow).where(
        QuoteLineRow.environment_id == scope.environment_id, QuoteLineRow.quote_id == quote.id
    )
    attempt = select(PaymentAttemptRow).where(
        PaymentAttemptRow.environment_id == scope.environment_id,
        PaymentAttemptRow.purchase_id == purchase.id,
    )
    return Sale(
        purchase,
        quote,
        list(session.scalars(lines.order_by(QuoteLineRow.position))),
        session.scalar(attempt.order_by(PaymentAttemptRow.number.desc()).limit(1)),
    )


def _account_now(session: Session, purchase: PurchaseRow, wall: WallNow) -> datetime:
    key = (purchase.environment_id, purchase.account_id)
    return billing_now(session.get_one(AccountRow, key), wall)


def _mark_refused(
    attempt: PaymentAttemptRow, outcome: Declined | NeedsAuthentication, wall: WallNow
) -> None:
    attempt.reference, attempt.finished_at = outcome.reference, wall
    if isinstance(outcome, NeedsAuthentication):
        attempt.status = "needs_authentication"
        return
    attempt.status, attempt.reason = "declined", outcome.reason
    attempt.error_code, attempt.decline_code = outcome.code, outcome.decline_code
    attempt.advice_code = outcome.advice_code


def _post_transfers(session: Session, sale: Sale, at: datetime) -> None:
    money = settlement_of(sale)
    for transfer in settlement_transfers(money, f"purchase:{sale.purchase.id}"):
        session.add(
            TransferRow(
                environment_id=sale.purchase.environment_id,
                account_id=sale.purchase.account_id,
                debit=transfer.debit,
                credit=transfer.credit,
                amount_minor=transfer.amount.minor,
                currency=transfer.amount.currency,
                code=transfer.code,
                key=transfer.key,
                at=at,
            )
        )


def _start_instance(session: Session, scope: Scope, sale: Sale, doer: Doer, wall: WallNow) -> None:
    row = session.get_one(InstanceRow, (scope.environment_id, sale.purchase.instance_id))
    row.status = InstanceStatus.ACTIVE
    session.flush()
    state = account_state(session, scope, row.account_id, wall)
    instance = next(i for i in state.instances if i.id == row.id)
    open_purchased(session, scope, state, instance)
    record(
        session, scope, doer, EventName.INSTANCE_STARTED, f"instance:{row.id}",
        row.starts_at.astimezone(UTC),
    )  # fmt: skip
