"""News from the processor: stored first, then processed once, in any order."""

from __future__ import annotations

from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import Conflict, NotFound, PortalError
from portal.domain.payments import HostedPage, Paid, PaymentGateway
from portal.domain.periods import WallNow
from portal.models.events import StripeEventRow
from portal.models.purchases import PaymentAttemptRow
from portal.services import card_entry, cards, charging, refund_news
from portal.services.attempts import amount_of, find_by_key
from portal.services.recording import Doer
from portal.services.till import Till

log = structlog.get_logger()
STRIPE = "stripe"


class News(Protocol):
    """A verified event, as the gateway hands it over."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def ignored(self) -> bool: ...


def receive(
    session: Session, scope: Scope, news: News, *, gateway: PaymentGateway, wall: WallNow
) -> bool:
    """Store the event, commit, then process it; False when it was here before.

    A failure to process leaves the event waiting for `flask billing reconcile`.
    """
    stored = session.execute(
        insert(StripeEventRow)
        .values(
            environment_id=scope.environment_id,
            id=news.id,
            type=news.type,
            payload=news.payload,
            processed_at=wall if news.ignored else None,
        )
        .on_conflict_do_nothing()
        .returning(StripeEventRow.id)
    )
    is_new = stored.first() is not None
    session.commit()
    process(session, scope, news.id, gateway=gateway, wall=wall)
    return is_new


def process(
    session: Session, scope: Scope, event_id: str, *, gateway: PaymentGateway, wall: WallNow
) -> None:
    """Act on one stored event, whoever holds its row; a processed one is left alone."""
    event = _claim(session, scope, event_id)
    if event is None or event.processed_at is not None:
        session.rollback()
        return
    thing, event_type = event.payload["data"]["object"], event.type
    session.commit()
    failure, till = "", Till(session, gateway, scope, wall, Doer(STRIPE))
    try:
        _act_on(till, event_type, thing)
    except PortalError as error:
        session.rollback()
        failure = f"{type(error).__name__}: {error}"
        log.warning("stripe_event_waits", event_id=event_id, failure=failure)
    done = _claim(session, scope, event_id)
    if done is not None:
        done.failure = failure
        done.processed_at = None if failure else wall
    session.commit()


def waiting(session: Session, scope: Scope) -> list[str]:
    """Ids of events not processed yet, oldest first."""
    statement = select(StripeEventRow.id).where(
        StripeEventRow.environment_id == scope.environment_id,
        StripeEventRow.processed_at.is_(None),
    )
    return list(session.scalars(statement.order_by(StripeEventRow.received_at)))


def _claim(session: Session, scope: Scope, event_id: str) -> StripeEventRow | None:
    return session.scalar(
        select(StripeEventRow)
        .where(StripeEventRow.environment_id == scope.environment_id, StripeEventRow.id == event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _act_on(till: Till, event_type: str, thing: dict[str, Any]) -> None:
    """An event is a hint: what counts is the present state of what it tells of."""
    match thing["object"]:
        case "payment_intent":
            _apply_payment(till, thing["id"])
        case "checkout.session":
            _apply_page(till, thing["id"])
        case "refund":
            refund_news.read_refund(till, thing["id"])
        case "charge" if event_type == "charge.refunded" and thing.get("payment_intent"):
            refund_news.read_refunds_of(till, thing["payment_intent"])
        case "payment_method":
            cards.sync(till, thing["id"])
        case "customer" if event_type == "customer.deleted":
            cards.forget_customer(till, thing["id"])
        case _:
            pass


def _apply_payment(till: Till, reference: str) -> None:
    news = till.gateway.read_payment(reference)
    if news.labels.get("environment_id") != str(till.environment_id):
        return  # another installation on the same Stripe account
    attempt = _attempt_of(till, news.labels)
    if amount_of(attempt) != news.amount:
        raise Conflict(f"attempt {attempt.id} was charged another amount")
    if attempt.kind == "checkout" and not isinstance(news.outcome, Paid):
        till.session.rollback()  # whoever is at a Checkout may try another card there
        return
    till = till.about(attempt.account_id)
    charging.write_answer(till, attempt.id, news.outcome, news.card)


def _apply_page(till: Till, reference: str) -> None:
    page = till.gateway.read_page(reference)
    if page.labels.get("environment_id") != str(till.environment_id):
        return
    if page.labels.get("purpose") == card_entry.PURPOSE:
        _apply_card_page(till, page)
        return
    attempt = _attempt_of(till, page.labels)
    charging.write_page(till.about(attempt.account_id), attempt.id, page)


def _apply_card_page(till: Till, page: HostedPage) -> None:
    try:
        card_entry.apply_page(till, page)
    except NotFound:
        till.session.rollback()  # the customer it was opened for is ours no longer


def _attempt_of(till: Till, labels: dict[str, str]) -> PaymentAttemptRow:
    """The attempt whose labels these are, all of them. Raises NotFound."""
    attempt = find_by_key(till.session, till.scope, labels.get("attempt", ""))
    if attempt is None or not attempt.params["labels"].items() <= labels.items():
        raise NotFound("the payment attempt with these labels")
    return attempt
