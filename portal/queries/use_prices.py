"""What use of a feature beyond its allowance costs an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.arrears import due_after
from portal.domain.catalog import Feature, Price
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.proration import charge
from portal.domain.taxes import Tax, taxed
from portal.queries.accounts import AccountState
from portal.queries.billing import billing_state
from portal.queries.by_the_clock import usage_price, usage_price_at, use_edges
from portal.queries.catalog import current_catalog, prices_by_id


@dataclass(frozen=True, slots=True)
class UsePrice:
    """units: what is beyond the allowance so far and is billed at this price on due_at."""

    price: Price
    units: Decimal
    due_at: datetime
    tax: Tax

    @property
    def so_far(self) -> Money:
        """With its tax, as it will be billed."""
        return self._cost(self.units)

    def cost(self, more: Decimal) -> Money:
        """Of so many units more, with their tax."""
        return self._cost(self.units + more) - self.so_far

    def _cost(self, units: Decimal) -> Money:
        return taxed(self.tax, charge(self.price, units, None, self.due_at))


@dataclass(frozen=True, slots=True)
class Coming:
    """From `at` on use beyond the allowance costs `price`; None: nothing."""

    at: datetime
    price: Price | None


def coming(state: AccountState, feature: Feature) -> tuple[Coming, ...]:
    """Each time that the price for use of `feature` changes from now on, as things are, in order;
    none where nothing is charged now."""
    subscription, price = state.subscription, usage_price_at(state, feature, state.now)
    if subscription is None or price is None:
        return ()
    ends_at, found = subscription.ends_at, [Coming(state.now, price)]
    for edge in sorted(edge for edge in use_edges(state) if edge > state.now):
        then = usage_price_at(state, feature, edge)
        if then != found[-1].price and (ends_at is None or edge < ends_at):
            found.append(Coming(edge, then))
    return tuple(found[1:])


def sold_for_use(session: Session, scope: Scope, ids: Sequence[int]) -> tuple[Price, ...]:
    """The USAGE prices that something was sold with, in their order."""
    if not ids:
        return ()
    found = prices_by_id(session, scope, set(ids), current_catalog(session, scope).features)
    return tuple(found[id] for id in ids)


def use_price(state: AccountState, feature: Feature, window: Period) -> UsePrice | None:
    """What is charged for use beyond the allowance of `window`; None where nothing is."""
    subscription, price = state.subscription, usage_price(state, feature, window)
    if subscription is None or price is None:
        return None
    anchor, billed_until = subscription.cycle.billing_anchor, subscription.use_billed_until
    due_at = due_after(price, anchor, window, billed_until)
    due_at = min(due_at, subscription.ends_at or due_at)
    owed = (each for each in billing_state(state).arrears if each.price == price)
    units = sum((each.units for each in owed if each.due_at == due_at), Decimal(0))
    return UsePrice(price, units, due_at, state.account.tax)
