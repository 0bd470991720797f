"""Which packs of a feature an account can buy now, at what price, and the cheapest mix of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.domain.access import Actor, Role, Scope
from portal.domain.capacity import CapacityKind
from portal.domain.catalog import BillingModel, Feature
from portal.domain.lines import LineKind
from portal.domain.money import Money, total
from portal.domain.packs import UNLIMITED, Choice, Pack, Pick, cheapest
from portal.domain.periods import BillingNow, whole_second
from portal.domain.quotes import MOST_AT_ONCE, Quote, Request, quote
from portal.queries.accounts import AccountState
from portal.queries.addons import Card, all_cards
from portal.queries.use_prices import UsePrice


@dataclass(frozen=True, slots=True)
class Suggested:
    """amount: paid now, with tax. units: None = unlimited. renews: it could; this is for once."""

    add_on: str
    name: str
    quantity: int
    units: Decimal | None
    amount: Money
    renews: bool


@dataclass(frozen=True, slots=True)
class Mix:
    """suggested: none where it costs less to buy nothing. rest: units that are used without being
    bought, and billed at rest_amount, with its tax; zero where packs bring all."""

    suggested: tuple[Suggested, ...]
    amount: Money
    rest: Decimal
    rest_amount: Money


def cheapest_mix(
    state: AccountState,
    scope: Scope,
    feature: Feature,
    needed: Decimal,
    end: datetime,
    beyond: UsePrice | None = None,
) -> Mix | None:
    """The cheapest way to `needed` units of the feature until `end`; None where there is none.

    What the account's owner could buy: a member who may not buy is shown the same. A recurring
    add-on is taken for its first period only. What would end before `end` is left out.
    beyond: what use costs that nothing covers. Source: product.md §5; seed 1, tips.
    """
    owner = Actor(0, state.account.id, scope, Role.OWNER)
    cards = {c.add_on.lookup_key: c for c in all_cards(state, owner) if _is_on_sale(c, feature)}
    packs = [_pack(state, card, feature, needed, end) for card in cards.values()]
    rest_cost = (lambda units: beyond.cost(units).minor) if beyond else None
    picks = cheapest(packs, needed, rest_cost)
    if picks is None:
        return None
    code = state.account.currency
    suggested = tuple(_suggested(state, cards[pick.add_on], pick) for pick in picks)
    rest = max(needed - sum((pick.choice.units for pick in picks), Decimal(0)), Decimal(0))
    costs = beyond.cost(rest) if beyond else Money.zero(code)
    return Mix(suggested, total([each.amount for each in suggested], code), rest, costs)


def _suggested(state: AccountState, card: Card, pick: Pick) -> Suggested:
    units = pick.choice.units
    return Suggested(
        add_on=pick.add_on,
        name=card.add_on.name,
        quantity=pick.choice.quantity,
        units=None if units == UNLIMITED else units,
        amount=Money(pick.choice.cost_minor, state.account.currency),
        renews=card.price is not None and card.price.is_recurring,
    )


def _is_on_sale(card: Card, feature: Feature) -> bool:
    return card.refusal is None and any(c.feature == feature for c in card.brings)


def _pack(
    state: AccountState, card: Card, feature: Feature, needed: Decimal, end: datetime
) -> Pack:
    """Every quantity up to the first that is enough; all where a price may fall with it."""
    choices: list[Choice] = []
    if card.price is None:
        return Pack(card.add_on.lookup_key, ())
    most = MOST_AT_ONCE if card.most is None else min(card.most, MOST_AT_ONCE)
    for quantity in range(1, most + 1):
        request = Request(card.add_on.lookup_key, quantity, auto_renew=False)
        offered = quote(state.buyer(), card.add_on, request, BillingNow(whole_second(state.now)))
        units = _units(offered, feature, end)
        choices.append(Choice(quantity, units, _cost(offered).minor))
        if units >= needed and card.price.billing_model is BillingModel.FLAT_FEE:
            break
    return Pack(card.add_on.lookup_key, tuple(choices))


def _units(offered: Quote, feature: Feature, end: datetime) -> Decimal:
    """What can be used until `end`."""
    lots = [
        UNLIMITED if brought.units is None else brought.units
        for brought in offered.capacity
        if brought.kind is CapacityKind.LOT and brought.feature == feature
        if brought.until is None or brought.until >= end
    ]
    return sum(lots, Decimal(0))


def _cost(offered: Quote) -> Money:
    """Of what is bought, with its tax; what the balance pays of it is not taken off."""
    tax = offered.sum_of(LineKind.TAX) - offered.tax_included
    return offered.sum_of(LineKind.CHARGE) + tax
