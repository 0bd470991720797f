"""Adding a card on the processor's own page: opening it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.cards import Card
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.events import EventName
from portal.domain.payments import CardEntry, HostedPage, PageStatus, PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.purchases import CHECKOUT_LIFE
from portal.models.accounts import AccountRow, PaymentMethodRow, PersonRow
from portal.queries.cards import card_of, took_a_place
from portal.services import cards
from portal.services.accounts import ensure_customer
from portal.services.recording import record
from portal.services.till import Till, till_of

PURPOSE = "card"


@dataclass(frozen=True, slots=True)
class Added:
    card: Card


@dataclass(frozen=True, slots=True)
class Renewed:
    """The same card had been saved before; this one took its place."""

    card: Card


@dataclass(frozen=True, slots=True)
class TakenAway:
    """A card was added there, and is gone again."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Nothing was saved so far. url: where to go on."""

    url: str | None


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The page's time ran out and nothing was saved."""


Entered = Added | Renewed | TakenAway | Unfinished | Lapsed


def begin_entry(
    actor: Actor,
    return_url: str,
    back_url: str,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> str:
    """Open a page where a member adds a card; its url.

    return_url may hold `{CHECKOUT_SESSION_ID}`. Raises Forbidden without billing.update, and
    PaymentsUnavailable.
    """
    actor.require(Permission.BILLING_UPDATE)
    entry = CardEntry(
        key=str(uuid4()),
        customer_ref=_customer_of(actor, session, gateway),
        labels={
            "environment_id": str(actor.environment_id),
            "account_id": str(actor.account_id),
            "person_id": str(actor.person_id),
            "purpose": PURPOSE,
        },
        return_url=return_url,
        back_url=back_url,
        expires_at=(wall + CHECKOUT_LIFE).replace(microsecond=0),
    )
    page = gateway.open_card_entry(entry)
    if page.url is None:
        raise PaymentsUnavailable(f"the page {page.reference} has no url")
    _record(till_of(actor, session, gateway, wall), actor.account_id, page)
    return page.url


def _record(till: Till, account_id: int, page: HostedPage) -> None:
    told, at = EventName.CARD_ENTRY_OPENED, till.account_now(account_id)
    record(till.session, till.scope, till.doer, told, f"page:{page.reference}", at)
    till.session.commit()


def finish_entry(till: Till, page_reference: str) -> Entered:
    """What came of a page, for whoever comes back from it. Raises what `apply_page` does."""
    return apply_page(till, till.gateway.read_page(page_reference))


def apply_page(till: Till, page: HostedPage) -> Entered:
    """Keep the card of a page that was completed; commit. For the return page and the webhook.

    The doer's account must be the page's; a doer without one (a webhook) takes the page's. What
    is kept is what the processor has now, so order and repeats do not matter. Raises NotFound for
    a page of another environment, account or purpose, or of a customer that is no longer ours.
    """
    account_id = _account_of(till, page)
    if page.status is PageStatus.OPEN:
        return Unfinished(page.url)
    if page.status is PageStatus.EXPIRED:
        return Lapsed()
    if page.card is None:
        return TakenAway()
    person_id = till.doer.person_id or int(page.labels["person_id"])
    doer = replace(till.doer, account_id=account_id, person_id=person_id)
    cards.sync(replace(till, doer=doer), page.card.reference)
    return _what_became(till, account_id, page.card.reference)


def _customer_of(actor: Actor, session: Session, gateway: PaymentGateway) -> str:
    mine = (PersonRow.environment_id == actor.environment_id, PersonRow.id == actor.person_id)
    email = session.scalars(select(PersonRow.email).where(*mine)).one()
    return ensure_customer(session, actor.scope, actor.account_id, email, gateway)


def _account_of(till: Till, page: HostedPage) -> int:
    """Whose page it is. Raises NotFound unless it is ours, the doer's, and for a card."""
    said = page.labels
    if said.get("environment_id") != str(till.environment_id) or said.get("purpose") != PURPOSE:
        raise NotFound("page")
    account_id = int(said["account_id"])
    if till.doer.account_id not in (None, account_id):
        raise NotFound("page")
    account = till.session.get(
        AccountRow, (till.environment_id, account_id), populate_existing=True
    )
    customer_ref = account.stripe_customer_id if account else None
    till.session.commit()
    if customer_ref != page.customer_ref:
        raise NotFound("page")
    return account_id


def _what_became(till: Till, account_id: int, card_ref: str) -> Entered:
    card = PaymentMethodRow
    mine = select(card).where(
        card.environment_id == till.environment_id, card.account_id == account_id
    )
    row = till.session.scalar(mine.where(card.stripe_payment_method_id == card_ref))
    if row is None:
        return TakenAway()
    if row.detached_at is None:
        taken = took_a_place(till.session, row)
        return Renewed(card_of(row)) if taken else Added(card_of(row))
    same = mine.where(card.fingerprint == row.fingerprint, card.detached_at.is_(None))
    again = till.session.scalar(same) if row.fingerprint else None
    return Renewed(card_of(again)) if again else TakenAway()
