"""News from the processor: stored first, then processed once, in any order."""

from __future__ import annotations

from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import Conflict, NotFound, PortalError
from portal.domain.payments import PaymentGateway, PaymentNews
from portal.domain.periods import WallNow
from portal.models.events import StripeEventRow
from portal.services.charging import last_attempt, read_purchase, write_answer
from portal.services.recording import Doer

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
    thing = event.payload["data"]["object"]
    session.commit()
    failure = ""
    try:
        if thing["object"] == "payment_intent":
            _apply_payment(session, scope, thing["id"], gateway, wall)
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


def _apply_payment(
    session: Session, scope: Scope, reference: str, gateway: PaymentGateway, wall: WallNow
) -> None:
    """An event is a hint: what counts is the payment's state now."""
    news = gateway.read_payment(reference)
    if news.labels.get("environment_id") != str(scope.environment_id):
        return  # another installation on the same Stripe account
    purchase_id = _number_in(news, "purchase_id")
    _require_ours(session, scope, purchase_id, news)
    doer = Doer(STRIPE, _number_in(news, "account_id"))
    write_answer(purchase_id, news.outcome, doer, scope, session=session, wall=wall)


def _number_in(news: PaymentNews, label: str) -> int:
    """Raises NotFound for a payment that does not say what it was for."""
    said = news.labels.get(label, "")
    if not said.isdecimal():
        raise NotFound(f"{label} among the payment's labels")
    return int(said)


def _require_ours(session: Session, scope: Scope, purchase_id: int, news: PaymentNews) -> None:
    """Raises NotFound or Conflict unless the payment is of exactly what was asked for."""
    attempt = last_attempt(session, read_purchase(session, scope, purchase_id))
    if attempt is None or attempt.idempotency_key != news.labels.get("attempt"):
        raise NotFound("payment attempt")
    if (attempt.amount_minor, attempt.currency) != (news.amount.minor, news.amount.currency):
        raise Conflict(f"purchase {purchase_id} was charged another amount")
