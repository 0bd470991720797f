"""Writing down an accepted quote before any money moves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.events import EventName
from portal.domain.instances import InstanceStatus
from portal.domain.money import Money
from portal.domain.payments import Charge
from portal.domain.quotes import LineKind, Quote, QuoteLine
from portal.domain.working import in_words, to_plain
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, QuoteLineRow, QuoteRow
from portal.models.subscriptions import InstanceRow
from portal.queries.accounts import AccountState
from portal.services.balances import hold
from portal.services.phrases import ENGLISH
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class NoCard:
    """Something is due and no card is saved; nothing was stored."""


def reserve(
    session: Session, actor: Actor, state: AccountState, accepted: Quote, nonce: str
) -> PurchaseRow | NoCard:
    """Add the quote, its lines, the instance, the purchase and its attempt; commit is the caller's.

    Called under the subscription's row lock.
    """
    card = default_card(session, actor) if accepted.charged else None
    customer = state.account.stripe_customer_id
    if accepted.charged and (card is None or customer is None):
        return NoCard()
    quote_row = _quote_row(actor, state, accepted, nonce)
    session.add(quote_row)
    session.flush()
    session.add_all(
        _line_row(quote_row, position, line) for position, line in enumerate(accepted.lines)
    )
    instance = _instance_row(actor, state, accepted)
    session.add(instance)
    session.flush()
    purchase = _purchase_row(actor, accepted, quote_row, instance)
    session.add(purchase)
    hold(session, purchase, accepted.price.currency)
    session.flush()
    if card is not None and customer is not None:
        session.add(_attempt_row(actor, accepted, purchase, card, customer))
    doer = Doer(f"person:{actor.person_id}", actor.account_id, actor.person_id)
    subject = f"purchase:{purchase.id}"
    record(session, actor.scope, doer, EventName.PURCHASE_RESERVED, subject, accepted.at)
    return purchase


def default_card(session: Session, actor: Actor) -> PaymentMethodRow | None:
    """The card that is charged."""
    return session.scalar(
        select(PaymentMethodRow).where(
            PaymentMethodRow.environment_id == actor.environment_id,
            PaymentMethodRow.account_id == actor.account_id,
            PaymentMethodRow.is_default,
            PaymentMethodRow.detached_at.is_(None),
        )
    )


def charge_of(attempt: PaymentAttemptRow) -> Charge:
    """The charge exactly as it was first sent, so that a resend is the same request."""
    sent = attempt.params
    return Charge(
        key=attempt.idempotency_key,
        customer_ref=sent["customer_ref"],
        card_ref=sent["card_ref"],
        amount=Money(attempt.amount_minor, attempt.currency),
        description=sent["description"],
        labels=sent["labels"],
    )


def _quote_row(actor: Actor, state: AccountState, accepted: Quote, nonce: str) -> QuoteRow:
    return QuoteRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=state.subscription.id if state.subscription else 0,
        price_id=accepted.price.id,
        nonce=nonce,
        digest=accepted.digest,
        quoted_at=accepted.at,
        expires_at=accepted.expires_at,
        currency=accepted.price.currency,
        charged_minor=accepted.charged.minor,
        carried_out_minor=accepted.carried_out.minor,
        promise={
            "request": asdict(accepted.request),
            "plan": accepted.plan_key,
            "going_forward": plain(accepted.going_forward and asdict(accepted.going_forward)),
        },
    )


def _line_row(quote_row: QuoteRow, position: int, line: QuoteLine) -> QuoteLineRow:
    return QuoteLineRow(
        environment_id=quote_row.environment_id,
        quote_id=quote_row.id,
        position=position,
        kind=line.kind,
        name=line.name,
        quantity=line.quantity,
        amount_minor=line.amount.minor,
        included=line.included,
        period_start_at=line.period.start if line.period else None,
        period_end_at=line.period.end if line.period else None,
        working=to_plain(line.working),
        working_text=in_words(line.working, ENGLISH),
    )


def _instance_row(actor: Actor, state: AccountState, accepted: Quote) -> InstanceRow:
    add_on = state.find_add_on(accepted.request.add_on)
    if add_on is None or state.subscription is None:
        raise ValueError("a quote is of an add-on on a subscription")
    return InstanceRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        subscription_id=state.subscription.id,
        add_on_id=add_on.id,
        add_on_type=add_on.type,
        price_id=accepted.price.id,
        quantity=accepted.request.quantity,
        status=InstanceStatus.PENDING_PAYMENT,
        starts_at=accepted.at,
        ends_at=accepted.ends_at,
        cancel_at=accepted.cancel_at,
        purchased_by=actor.person_id,
    )


def _purchase_row(
    actor: Actor, accepted: Quote, quote_row: QuoteRow, instance: InstanceRow
) -> PurchaseRow:
    return PurchaseRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        quote_id=quote_row.id,
        instance_id=instance.id,
        person_id=actor.person_id,
        status="reserved",
        balance_reserved_minor=-accepted.sum_of(LineKind.BALANCE).minor,
        carried_reserved_minor=accepted.sum_of(LineKind.CARRIED).minor,
    )


def _attempt_row(
    actor: Actor, accepted: Quote, purchase: PurchaseRow, card: PaymentMethodRow, customer: str
) -> PaymentAttemptRow:
    key = str(uuid4())
    name, count = accepted.lines[0].name, accepted.request.quantity
    return PaymentAttemptRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        purchase_id=purchase.id,
        number=1,
        idempotency_key=key,
        amount_minor=accepted.charged.minor,
        currency=accepted.charged.currency,
        params={
            "customer_ref": customer,
            "card_ref": card.stripe_payment_method_id,
            "description": name if count == 1 else f"{name} × {count}",
            "labels": {
                "environment_id": str(actor.environment_id),
                "account_id": str(actor.account_id),
                "purchase_id": str(purchase.id),
                "attempt": key,
            },
        },
        status="started",
    )


def plain(value: Any) -> Any:
    """The same shape in what JSON knows; decimals and instants as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
