"""The add-ons grid and one add-on's offer, for one member."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from portal.domain.access import Actor, Role, Scope
from portal.domain.capacity import Capacity, brought_by
from portal.domain.catalog import AddOn, Price, Status, price_for, usage_prices_for
from portal.domain.eligibility import Refusal, refusal, units_left
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.proration import charge
from portal.domain.quotes import can_wait, next_cycle
from portal.queries.accounts import AccountState

WHO_MAY_BUY = Actor(0, 0, Scope(0, 0), Role.OWNER)
"""Nobody: asked only what its role may."""


class Cadence(StrEnum):
    ALL = "all"
    ONE_TIME = "one-time"
    RECURRING = "recurring"


@dataclass(frozen=True, slots=True)
class Filters:
    """text: every word must be in the name, benefit, category or what it brings."""

    cadence: Cadence = Cadence.ALL
    category: str = ""
    buyable: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One add-on as this member sees it. amount: of one unit for a whole period, before tax.

    price and amount: None when nothing is priced for this account. held: units in force.
    brings: what one unit brings if bought now. most: how many more may be bought, None = any.
    may_wait: whether it can be bought for the next cycle. usage_prices: what it charges for use.
    """

    add_on: AddOn
    price: Price | None
    amount: Money | None
    held: int
    refusal: Refusal | None
    brings: tuple[Capacity, ...]
    most: int | None
    may_wait: bool
    usage_prices: tuple[Price, ...] = ()


def all_cards(state: AccountState, actor: Actor) -> tuple[Card, ...]:
    """Every card that this account may see, in catalog order."""
    found = (card_of(state, actor, add_on) for add_on in state.catalog.add_ons)
    return tuple(card for card in found if card is not None)


def filtered(cards: tuple[Card, ...], filters: Filters) -> tuple[Card, ...]:
    """The cards that pass; what cannot be bought passes too, unless filtered out."""
    return tuple(card for card in cards if _passes(card, filters))


def categories(cards: tuple[Card, ...]) -> tuple[str, ...]:
    """The categories of the cards, each once, in their order."""
    return tuple(dict.fromkeys(c.add_on.category for c in cards if c.add_on.category))


def card_of(state: AccountState, actor: Actor, add_on: AddOn) -> Card | None:
    """None for a draft, and for an archived add-on that the account does not hold."""
    holding = state.holding(add_on)
    if add_on.status is Status.DRAFT or (add_on.status is Status.ARCHIVED and not holding.units):
        return None
    subscription = state.subscription
    price = (
        price_for(add_on.prices, state.account.currency, subscription.cycle.interval)
        if subscription
        else None
    )
    brings = (
        brought_by(add_on, price, 1, subscription.cycle, state.now, None)
        if price and subscription and add_on.status is Status.PUBLISHED
        else ()
    )
    return Card(
        add_on=add_on,
        price=price,
        amount=charge(price, Decimal(1), None, state.now) if price else None,
        held=holding.units,
        refusal=refusal(add_on, state.standing(actor), holding),
        brings=tuple(each for each in brings if each.units != 0),
        most=units_left(add_on, holding),
        may_wait=may_wait(state, actor, add_on),
        usage_prices=usage_prices_for(add_on, price) if price else (),
    )


def may_wait(state: AccountState, actor: Actor, add_on: AddOn) -> bool:
    """Whether it can be bought for the next cycle: an agreed plan has to allow it by then."""
    if state.subscription is None:
        return False
    price = price_for(add_on.prices, state.account.currency, state.subscription.cycle.interval)
    if price is None or not can_wait(price):
        return False
    ends_at = state.subscription.ends_at
    if ends_at and ends_at <= next_cycle(state.subscription.cycle, price, state.now):
        return False
    then = state.standing(actor, state.agreed)
    return state.agreed is None or refusal(add_on, then, state.holding(add_on)) is None


def card_for_host(state: AccountState, lookup_key: str) -> Card | None:
    """The card as whoever may buy sees it: the host asks for nobody in particular."""
    add_on = state.find_add_on(lookup_key)
    return card_of(state, WHO_MAY_BUY, add_on) if add_on else None


def get_card(state: AccountState, actor: Actor, lookup_key: str) -> Card:
    """Raises NotFound for an add-on that this account may not see."""
    add_on = state.find_add_on(lookup_key)
    card = card_of(state, actor, add_on) if add_on else None
    if card is None:
        raise NotFound("add-on")
    return card


def _passes(card: Card, filters: Filters) -> bool:
    if filters.buyable and card.refusal is not None:
        return False
    if filters.category and card.add_on.category != filters.category:
        return False
    if filters.cadence is not Cadence.ALL:
        wants_recurring = filters.cadence is Cadence.RECURRING
        if card.price is None or card.price.is_recurring is not wants_recurring:
            return False
    return _matches(card.add_on, filters.text)


def _matches(add_on: AddOn, text: str) -> bool:
    brought = [e.feature.name for e in add_on.entitlements]
    brought += [g.feature.name for g in add_on.credit_grants]
    said = " ".join([add_on.name, add_on.benefit, add_on.description, add_on.category, *brought])
    return all(word in said.casefold() for word in text.casefold().split())
