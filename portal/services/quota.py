"""Checks: whether an account may use so much of a feature now, and what would help if not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature, FeatureType
from portal.domain.entitlements import resolve
from portal.domain.errors import NotFound
from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import BillingNow, WallNow
from portal.domain.quotas import Allowed, Help, RefusedUse, Standing, WhyNot, missing, why_not
from portal.queries.accounts import AccountState, account_state
from portal.queries.addons import WHO_MAY_BUY, Card, all_cards
from portal.queries.counting import counting_state
from portal.queries.usage import Meter, every_meter, meter_of, sources_of
from portal.services.capacity import open_windows_now


@dataclass(frozen=True, slots=True)
class Entitled:
    """How an account stands with one feature. values: of a static one. now: by its own clock."""

    feature: Feature
    values: tuple[str, ...]
    answer: Allowed | RefusedUse
    now: BillingNow


def check(
    session: Session,
    scope: Scope,
    account_id: int,
    feature: str,
    units: Decimal = Decimal(1),
    *,
    wall: WallNow,
) -> Allowed | RefusedUse:
    """May the account use `units` more of the feature with this lookup key now?

    Reads counters and lots, never events; opens the lots of the present windows, and commits.
    Promises nothing: what is used meanwhile counts. A past due account keeps what it has.
    Raises NotFound for no such account or feature. Source: product.md §4a, §6, §8.
    """
    return entitled_to(session, scope, account_id, feature, units, wall=wall).answer


def entitled_to(
    session: Session,
    scope: Scope,
    account_id: int,
    feature: str,
    units: Decimal = Decimal(1),
    *,
    wall: WallNow,
) -> Entitled:
    """`check`, with the feature's own description."""
    state = counting_state(session, scope, account_id, wall)
    asked = next((f for f in state.catalog.features if f.lookup_key == feature), None)
    if asked is None:
        raise NotFound("feature")
    if asked.is_consumed:
        open_windows_now(session, scope, state)
    metered = asked.type is FeatureType.METERED
    meter = meter_of(session, scope, state, asked) if metered else None
    return _entitled(
        state, asked, meter, units, lambda: account_state(session, scope, account_id, wall)
    )


def all_entitled(
    session: Session, scope: Scope, account_id: int, *, wall: WallNow
) -> tuple[Entitled, ...]:
    """`check` of one unit for every feature of the catalog, in its order."""
    state = account_state(session, scope, account_id, wall)
    open_windows_now(session, scope, state)
    meters = {meter.feature.id: meter for meter in every_meter(session, scope, state)}
    return tuple(
        _entitled(state, feature, meters.get(feature.id), Decimal(1), lambda: state)
        for feature in state.catalog.features
    )


def _entitled(
    state: AccountState,
    asked: Feature,
    meter: Meter | None,
    units: Decimal,
    buyer: Callable[[], AccountState],
) -> Entitled:
    """buyer: the state that offers are made of, asked for where one may help."""
    resolved = resolve(asked, sources_of(state), state.now)
    if meter is not None:
        standing = _metered(meter)
        short = missing(standing, units)
    else:
        standing = Standing(asked.lookup_key, None, Decimal(0), None, None)
        short = Decimal(0 if resolved.is_enabled else 1)
    answer: Allowed | RefusedUse
    if no := _blocked(state):
        answer = RefusedUse(standing, no, None)
    elif not short or resolved.is_soft_limit:
        answer = Allowed(standing, short)
    else:
        answer = RefusedUse(standing, why_not(standing), help_with(buyer(), asked, short))
    return Entitled(asked, resolved.values, answer, state.now)


def _metered(meter: Meter) -> Standing:
    return Standing(
        feature=meter.feature.lookup_key,
        limit=meter.allowance,
        used=meter.used,
        left=meter.left,
        resets_at=meter.window.end if meter.window else None,
    )


def _blocked(state: AccountState) -> WhyNot | None:
    if state.subscription is None:
        return WhyNot.NO_SUBSCRIPTION
    if state.subscription.status is SubscriptionStatus.SUSPENDED:
        return WhyNot.SUSPENDED
    return None


@dataclass(frozen=True, slots=True)
class _Offer:
    """units: what one of it brings; None = no limit, or unlocked. amount_minor: its price."""

    card: Card
    units: Decimal | None
    amount_minor: int


def help_with(state: AccountState, feature: Feature, short: Decimal = Decimal(1)) -> Help | None:
    """The cheapest add-on that brings enough, else the one that brings most.

    What the account's owner could buy: whoever asks is the host, not a member.
    """
    offers = [o for card in all_cards(state, WHO_MAY_BUY) if (o := _offer(card, feature))]
    enough = [o for o in offers if o.units is None or o.units >= short]
    if enough:
        best = min(enough, key=lambda o: o.amount_minor)
    elif offers:
        best = max(offers, key=lambda o: (o.units or Decimal(0), -o.amount_minor))
    else:
        return None
    price = best.card.price.lookup_key if best.card.price else ""
    return Help(best.card.add_on.lookup_key, best.card.add_on.name, price, best.units)


def _offer(card: Card, feature: Feature) -> _Offer | None:
    """None when it cannot be bought now, or brings none of the feature."""
    brought = [c.units for c in card.brings if c.feature == feature]
    if card.refusal is not None or card.amount is None or not brought:
        return None
    limits = [units for units in brought if units is not None]
    units = sum(limits, Decimal(0)) if len(limits) == len(brought) else None
    return None if units == 0 else _Offer(card, units, card.amount.minor)
