"""Purchases that wait for their customer: paying another way, and calling them off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.payments import PaymentGateway
from portal.domain.periods import BillingNow, WallNow
from portal.domain.purchases import Failure, time_for_checkout
from portal.models.accounts import AccountRow
from portal.models.catalog import AddOnRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import billing_now
from portal.services.attempts import (
    Bill,
    CheckoutWay,
    Debt,
    debt_of,
    last_attempt,
    open_attempts,
    read_purchase,
    start,
)
from portal.services.charging import (
    Ended,
    NeedsCheckout,
    PaymentOutcome,
    Settled,
    close,
    conclude,
    outcome_of,
)
from portal.services.consents import keep_consent
from portal.services.invoicing import Sale, over_at, read_sale
from portal.services.reserving import described
from portal.services.settlement import let_go
from portal.services.till import Till, till_of
from portal.services.ways import Paying, customer_of, way_of

MOST_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class NoTimeForCheckout:
    """Nothing was stored: a card typed now could pay after `over_at`, when it is over."""

    over_at: datetime


def pay(
    actor: Actor, purchase_id: int, paying: Paying, *, session: Session, gateway: PaymentGateway,
    wall: WallNow,
) -> PaymentOutcome | NoTimeForCheckout:  # fmt: skip
    """Pay for a reserved purchase another way, at the amount it was reserved with.

    Earlier attempts are called off first, so that only one thing can take money; an open
    Checkout is gone on with. Too late, or too often, ends it. Raises Forbidden, NotFound,
    Conflict for a card that is not there any more, PaymentsUnavailable.
    """
    till = _mine(actor, purchase_id, session, gateway, wall)
    stands = conclude(till, purchase_id)
    way = way_of(session, actor, paying.choice)
    typed = isinstance(way, CheckoutWay)
    if isinstance(stands, Settled | Ended) or (isinstance(stands, NeedsCheckout) and typed):
        return stands
    ends, now = _end_of(till, purchase_id)
    if typed and ends and not time_for_checkout(ends, now):
        return NoTimeForCheckout(ends)
    customer = customer_of(till, actor)
    if not close(till, _debt(till, purchase_id)):
        return outcome_of(till, purchase_id)
    if _is_too_late(till, purchase_id) or (ends is not None and ends <= now):
        let_go(till, purchase_id, Failure.LAPSED)
        return outcome_of(till, purchase_id)
    sale = read_sale(session, actor.scope, purchase_id, None)
    debt = debt_of(sale.purchase)
    ours = sale.purchase.status == "reserved" and not open_attempts(session, debt)
    if ours:
        start(session, debt, way, _bill(sale, customer, paying), wall)
        keep_consent(session, actor, f"purchase:{purchase_id}", paying.agreed, wall)
    session.commit()
    return conclude(till, purchase_id, first=ours)


def stop(
    actor: Actor, purchase_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> PaymentOutcome:
    """Call a purchase off, unless it turns out to be paid. Raises as `pay`."""
    till = _mine(actor, purchase_id, session, gateway, wall)
    return _stop(till, purchase_id)


def stop_waiting(till: Till, actor: Actor, add_on: str | None) -> PaymentOutcome | None:
    """Call off what this member has open of `add_on`; what turns out to be paid, or may still
    be, is the answer.

    None: of changes of plan.

    A charge that the bank has not answered is no such thing: it is left alone.
    """
    for purchase_id in _waiting(till, actor, add_on):
        outcome = _stop(till, purchase_id)
        if not isinstance(outcome, Ended):
            return outcome
    return None


def _stop(till: Till, purchase_id: int) -> PaymentOutcome:
    if close(till, _debt(till, purchase_id)):
        let_go(till, purchase_id, Failure.STOPPED)
    return outcome_of(till, purchase_id)


def _debt(till: Till, purchase_id: int) -> Debt:
    return debt_of(read_purchase(till.session, till.scope, purchase_id))


def _mine(
    actor: Actor, purchase_id: int, session: Session, gateway: PaymentGateway, wall: WallNow
) -> Till:
    """Raises Forbidden, or NotFound for another account's purchase."""
    actor.require(Permission.BILLING_UPDATE)
    if read_purchase(session, actor.scope, purchase_id).account_id != actor.account_id:
        raise NotFound("purchase")
    return till_of(actor, session, gateway, wall)


def _waiting(till: Till, actor: Actor, add_on: str | None) -> list[int]:
    """Ids of the member's reserved purchases of `add_on` that wait for the member."""
    mine = select(PurchaseRow).where(
        PurchaseRow.environment_id == actor.environment_id,
        PurchaseRow.account_id == actor.account_id,
        PurchaseRow.person_id == actor.person_id,
        PurchaseRow.status == "reserved",
    )
    wanted = mine.where(PurchaseRow.kind == "plan") if add_on is None else _of(mine, add_on)
    found = till.session.scalars(wanted.order_by(PurchaseRow.id))
    return [p.id for p in found if _is_for_the_customer(last_attempt(till.session, debt_of(p)))]


def _of(purchases: Select[PurchaseRow], add_on: str) -> Select[PurchaseRow]:
    return (
        purchases.join(InstanceRow, InstanceRow.id == PurchaseRow.instance_id)
        .join(AddOnRow, AddOnRow.id == InstanceRow.add_on_id)
        .where(
            InstanceRow.environment_id == PurchaseRow.environment_id,
            AddOnRow.environment_id == PurchaseRow.environment_id,
            AddOnRow.lookup_key == add_on,
        )
    )


def _is_for_the_customer(attempt: PaymentAttemptRow | None) -> bool:
    """False while the bank, or nobody, has to be heard."""
    return attempt is not None and (attempt.kind == "checkout" or attempt.status != "started")


def _end_of(till: Till, purchase_id: int) -> tuple[datetime | None, BillingNow]:
    """When what is being bought is over, and the account's now."""
    sale = read_sale(till.session, till.scope, purchase_id, None)
    account = till.session.get_one(AccountRow, (till.environment_id, sale.purchase.account_id))
    ends = over_at(till.session, sale)
    till.session.commit()
    return ends, billing_now(account, till.wall)


def _is_too_late(till: Till, purchase_id: int) -> bool:
    """Whether no other attempt may start: held long enough, or tried often enough."""
    purchase = read_purchase(till.session, till.scope, purchase_id)
    last = last_attempt(till.session, debt_of(purchase))
    too_often = last is not None and last.number >= MOST_ATTEMPTS
    return too_often or till.wall >= purchase.held_until.astimezone(UTC)


def _bill(sale: Sale, customer_ref: str, paying: Paying) -> Bill:
    first = next(line for line in sale.lines if line.kind == "charge")
    return Bill(
        customer_ref=customer_ref,
        amount=Money(sale.quote.charged_minor, sale.quote.currency),
        description=described(first.name, first.quantity),
        shown_at=paying.shown_at(sale.purchase.id),
    )
