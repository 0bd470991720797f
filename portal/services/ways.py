"""The way a member chose to pay: a saved card, or one typed on the processor's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import Conflict
from portal.domain.legal import Words
from portal.models.accounts import PaymentMethodRow, PersonRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.accounts import ensure_customer
from portal.services.attempts import CheckoutWay, SavedWay, Way
from portal.services.till import Till

CardChoice = int | Literal["default", "new"]
"""The id of a saved card; the default one, or a new one where none is saved; a new one."""


@dataclass(frozen=True, slots=True)
class Paying:
    """How a member pays. shown_at: the absolute address of a purchase's own page, by its id.

    agreed: the words of the button, where what is owed already is paid from a page. seen: number
    of the last attempt that the page showed, 0 for none; None where there was no page.
    """

    choice: CardChoice
    shown_at: Callable[[int], str]
    agreed: Words | None = None
    seen: int | None = None


def way_of(session: Session, actor: Actor, choice: CardChoice) -> Way:
    """Raises Conflict for a card that is not there any more, or never was the account's."""
    if choice == "new":
        return CheckoutWay()
    if choice == "default":
        card = default_card(session, actor)
        return SavedWay(card) if card else CheckoutWay()
    card = session.get(PaymentMethodRow, (actor.environment_id, choice))
    if card is None or card.account_id != actor.account_id or card.detached_at is not None:
        raise Conflict("this card is not saved any more")
    return SavedWay(card)


def default_card(session: Session, of: Actor | SubscriptionRow) -> PaymentMethodRow | None:
    """The card of an account that is charged when nobody chooses."""
    return session.scalar(
        select(PaymentMethodRow).where(
            PaymentMethodRow.environment_id == of.environment_id,
            PaymentMethodRow.account_id == of.account_id,
            PaymentMethodRow.is_default,
            PaymentMethodRow.detached_at.is_(None),
        )
    )


def card_by_itself(session: Session, of: SubscriptionRow) -> PaymentMethodRow | None:
    """The default card, unless its bank forbade to try it again. Source: stripe.md §4.5."""
    card = default_card(session, of)
    return card if card is not None and card.refused_at is None else None


def customer_of(till: Till, actor: Actor) -> str:
    """The account's customer at the processor, made where there is none; commits."""
    person = till.session.get_one(PersonRow, (actor.environment_id, actor.person_id))
    return ensure_customer(till.session, actor.scope, actor.account_id, person.email, till.gateway)
