"""What a member may decide about the account's cards: which is charged, and which goes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.cards import Card, Kept, why_kept
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.accounts import PaymentMethodRow
from portal.queries.accounts import account_state
from portal.queries.cards import card_of, in_payment, renewals
from portal.services.cards import has_expired, lock_account, lose, mirror, prefer
from portal.services.till import till_of


@dataclass(frozen=True, slots=True)
class Preferred:
    """The card is the default: purchases and renewals are charged to it."""

    card: Card


@dataclass(frozen=True, slots=True)
class Expired:
    """Nothing changed: an expired card cannot be the default."""

    card: Card


@dataclass(frozen=True, slots=True)
class Removed:
    card: Card


def make_default(
    actor: Actor, card_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> Preferred | Expired:
    """Charge this card from now on, unless it has expired. Repeating it changes nothing.

    Raises Forbidden without billing.update, NotFound for another account's or a removed card.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    account = lock_account(till, actor.account_id)
    row = _mine(session, actor, card_id)
    if row.detached_at is not None:
        raise NotFound("card")
    if has_expired(row, account, till):
        session.rollback()
        return Expired(card_of(row))
    prefer(till, row)
    session.commit()
    mirror(till, actor.account_id)
    return Preferred(card_of(_mine(session, actor, card_id)))


def remove(
    actor: Actor, card_id: int, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> Removed | Kept:
    """Take a card away for good, unless something needs it. Repeating it changes nothing.

    The processor goes first: "removed" promises that nobody can charge the card any more, and one
    that is gone from the page could not be asked to go again. A payment that begins in between is
    declined. Raises PaymentsUnavailable when the processor gave no clear answer (the card stays
    until its webhook or a repeat says otherwise), Forbidden, or NotFound for another account's.
    """
    actor.require(Permission.BILLING_UPDATE)
    till = till_of(actor, session, gateway, wall)
    lock_account(till, actor.account_id)
    row = _mine(session, actor, card_id)
    if row.detached_at is not None:
        session.rollback()
        return Removed(card_of(row))
    state = account_state(session, actor.scope, actor.account_id, wall)
    kept = why_kept(card_of(row), renewals(state), in_payment=in_payment(session, row))
    references = _savings_of(session, row)
    session.commit()
    if kept is not None:
        return kept
    for reference in references:
        gateway.remove_card(reference)
    lose(till, references[-1], EventName.CARD_REMOVED)
    session.commit()
    return Removed(card_of(_mine(session, actor, card_id)))


def _mine(session: Session, actor: Actor, card_id: int) -> PaymentMethodRow:
    row = session.get(PaymentMethodRow, (actor.environment_id, card_id), populate_existing=True)
    if row is None or row.account_id != actor.account_id:
        raise NotFound("card")
    return row


def _savings_of(session: Session, row: PaymentMethodRow) -> list[str]:
    """References of the card, itself last: it may have been saved before, and be there still."""
    card = PaymentMethodRow
    earlier = select(card.stripe_payment_method_id).where(
        card.environment_id == row.environment_id,
        card.account_id == row.account_id,
        card.fingerprint == row.fingerprint,
        card.fingerprint != "",
        card.id != row.id,
    )
    return [*session.scalars(earlier), row.stripe_payment_method_id]
