"""What use beyond the allowance will cost once a quoted change of plan is made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from portal.domain.arrears import price_for_use
from portal.domain.catalog import Feature, Price
from portal.domain.plan_changes import PlanQuote
from portal.domain.plan_moves import Fate
from portal.domain.price_changes import price_at
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import charging


@dataclass(frozen=True, slots=True)
class UseThen:
    """price: what the plan charges for use of `feature`. held, add_on: what an add-on that is held
    on charges in its place, and its name; None and empty where none does."""

    feature: Feature
    price: Price
    held: Price | None = None
    add_on: str = ""


def use_then(state: AccountState, quote: PlanQuote) -> tuple[UseThen, ...]:
    """One for each price for use of the quoted plan."""
    return tuple(
        _then(state, quote, price, price.feature) for price in quote.usage_prices if price.feature
    )


def _then(state: AccountState, quote: PlanQuote, price: Price, feature: Feature) -> UseThen:
    """Of add-ons the one begun last, as where use is billed; none that ends with the change."""
    at = quote.effective_at
    ends = {m.instance_id: m.ends_at for m in quote.moves if m.fate is Fate.ENDS}
    for instance, held in charging(replace(state, agreed=None)):
        own = price_for_use(instance.add_on, instance.usage_prices, feature)
        stops = [end for end in (held.stops_at, ends.get(instance.id)) if end is not None]
        if own is not None and held.starts_at <= at and all(at < end for end in stops):
            now = price_at(state.price_changes, instance.id, own, at)
            return UseThen(feature, price, now, instance.add_on.name)
    return UseThen(feature, price)
