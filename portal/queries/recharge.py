"""What auto-recharge can buy, and how an account stands with it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.capacity import CapacityKind
from portal.domain.catalog import AddOn, Feature, FeatureType, Status, price_for
from portal.domain.eligibility import Reason
from portal.domain.instances import SubscriptionStatus
from portal.domain.money import Money
from portal.domain.periods import BillingNow, whole_second
from portal.domain.quotes import Quote, Request, quote
from portal.domain.recharge_decisions import Pack, Policy, Room, Standing
from portal.domain.spending import Mode, month_of, next_month, spent_by
from portal.models.accounts import PaymentMethodRow
from portal.models.catalog import AddOnRow
from portal.models.purchases import PurchaseRow
from portal.models.recharge import RechargeConsentRow, RechargePolicyRow
from portal.models.usage import UsageDayRow
from portal.queries.accounts import AccountState
from portal.queries.addons import card_of
from portal.queries.by_the_clock import plan_at
from portal.queries.spending import ceiling_of, counted
from portal.queries.usage import meter_of
from portal.queries.usage_days import run_rates

PASSING = (Reason.TRIALING, Reason.PAST_DUE, Reason.SUSPENDED, Reason.TERM_OVER, Reason.RENEWING)
"""Reasons not to buy now that have nothing to do with the pack."""


def buyer(scope: Scope, account_id: int, person_id: int = 0) -> Actor:
    """Who buys by itself: may do what those do who can agree to it."""
    return Actor(person_id, account_id, scope, Role.BILLING)


def rechargeable(state: AccountState) -> tuple[Feature, ...]:
    """Features that are used up and that a pack, charged once, brings to this account."""
    return tuple(
        feature
        for feature in state.catalog.features
        if feature.type is FeatureType.METERED and feature.is_consumed
        if any(_brings(a, feature) and _once(state, a) for a in state.catalog.add_ons)
    )


def packs_of(state: AccountState, scope: Scope, feature: Feature) -> tuple[Pack, ...]:
    """Packs that can be bought now, each one unit, in catalog order.

    What else a purchase would refuse now, such as an overdue invoice, stands in `Standing`.
    """
    by = buyer(scope, state.account.id)
    found = (_pack(state, by, add_on, feature) for add_on in state.catalog.add_ons)
    return tuple(pack for pack in found if pack is not None)


def pack_quote(state: AccountState, add_on: AddOn) -> Quote:
    """One pack's quote now."""
    request = Request(add_on.lookup_key, 1, False)
    return quote(state.buyer(), add_on, request, BillingNow(whole_second(state.now)))


def allowance_of(state: AccountState, feature: Feature) -> int:
    """What the plan itself brings of it in each window; 0 for none or no limit."""
    plan = plan_at(state, state.now)
    if plan is None:
        return 0
    granted = [
        e.usage_limit or 0 for e in plan.entitlements if e.feature.id == feature.id and e.is_enabled
    ]
    return sum(granted)


def policy_of(session: Session, row: RechargePolicyRow, state: AccountState) -> Policy:
    chosen = next((a.lookup_key for a in state.catalog.add_ons if a.id == row.add_on_id), "")
    cooldown, agreed = timedelta(seconds=row.cooldown_s), agreed_amounts(session, row)
    return Policy(row.threshold, chosen, cooldown, row.tried_at, agreed)


def agreed_amounts(session: Session, row: RechargePolicyRow) -> dict[str, Money]:
    """What one of each pack may cost that the last consent names, by its add-on's lookup key."""
    said, agreed = RechargeConsentRow, dict[str, Money]()
    found = session.execute(
        select(AddOnRow.lookup_key, said)
        .join(AddOnRow, AddOnRow.id == said.add_on_id)
        .where(
            said.environment_id == row.environment_id,
            AddOnRow.environment_id == row.environment_id,
            said.policy_id == row.id,
        )
        .order_by(said.id.desc())
    ).all()
    for key, each in found:
        newest = found[0][1]
        if key in agreed or (each.text, each.consented_at) != (newest.text, newest.consented_at):
            break
        agreed[key] = Money(each.amount_minor, each.currency)
    return agreed


def standing_of(
    session: Session, scope: Scope, state: AccountState, row: RechargePolicyRow, feature: Feature
) -> Standing:
    """How the account stands with one policy; its windows' lots are open already."""
    meter = meter_of(session, scope, state, feature)
    subscription = state.subscription
    return Standing(
        now=state.now,
        remaining=meter.left,
        pace=pace_of(session, scope, state, feature),
        window_end=meter.window.end if meter.window else None,
        next_month=next_month(state.now, state.account.zone),
        packs=packs_of(state, scope, feature),
        room=_room(session, scope, state, row),
        may_buy=subscription is not None and subscription.status is SubscriptionStatus.ACTIVE,
        is_ending=subscription is not None and subscription.ends_at is not None,
        in_flight=bool(in_flight(session, row)),
        has_card=card_for(session, row) is not None,
        is_renewing=state.is_changing,
    )


def pace_of(session: Session, scope: Scope, state: AccountState, feature: Feature) -> Fraction:
    """Units a day: as the usage page says, or today's use where that is more already."""
    today = state.now.astimezone(ZoneInfo(state.account.zone)).date()
    yesterday = today - timedelta(days=1)
    used = used_days(session, scope, state.account.id, feature, yesterday, today)
    rate = run_rates(session, scope, state.account.id, [feature.id], today).get(feature.id)
    return max(rate.per_day if rate else Fraction(0), Fraction(used.get(today, 0)))


def used_days(
    session: Session, scope: Scope, account_id: int, feature: Feature, after: date, until: date
) -> dict[date, Decimal]:
    """Use of each day later than `after`, up to `until`; days without any are left out."""
    row = UsageDayRow
    found = session.execute(
        select(row.day, row.units).where(
            row.environment_id == scope.environment_id,
            row.account_id == account_id,
            row.feature_id == feature.id,
            row.day > after,
            row.day <= until,
            row.dimension == "",
            row.value == "",
        )
    )
    return {row.day: row.units for row in found}


def card_for(session: Session, row: RechargePolicyRow) -> PaymentMethodRow | None:
    """The default card; where the bank refused that one, the newest other one that it did not."""
    card = PaymentMethodRow
    live = select(card).where(
        card.environment_id == row.environment_id,
        card.account_id == row.account_id,
        card.detached_at.is_(None),
        card.refused_at.is_(None),
    )
    cards = session.scalars(live.order_by(card.is_default.desc(), card.id.desc())).all()
    return next((each for each in cards if each.id != row.refused_card_id), None)


def _room(session: Session, scope: Scope, state: AccountState, row: RechargePolicyRow) -> Room:
    environment_id, month = scope.environment_id, month_of(state.now, state.account.zone)
    mine = counted(session, environment_id, state.account, row.id, month).both
    ceiling = ceiling_of(session, environment_id, state)
    stops = ceiling.mode is Mode.STOP
    cap = Money(row.cap_minor, row.currency) - mine - state.carried  # which joins the next charge
    return Room(cap, ceiling.left if stops else None)


def in_flight(session: Session, row: RechargePolicyRow) -> list[int]:
    """Purchases of the policy that are neither paid nor over."""
    waits = select(PurchaseRow.id).where(
        PurchaseRow.environment_id == row.environment_id,
        PurchaseRow.policy_id == row.id,
        PurchaseRow.status == "reserved",
    )
    return list(session.scalars(waits))


def _pack(state: AccountState, by: Actor, add_on: AddOn, feature: Feature) -> Pack | None:
    """None where it cannot be bought at all, or brings none of the feature."""
    if not _brings(add_on, feature) or not _once(state, add_on):
        return None
    card = card_of(state, by, add_on)
    refused = card.refusal.reason if card and card.refusal else None
    if card is None or card.price is None or (refused and refused not in PASSING):
        return None
    lots = [c for c in card.brings if c.feature == feature and c.kind is CapacityKind.LOT]
    units = sum((int(lot.units) for lot in lots if lot.units is not None), 0)
    if not units:
        return None
    asked, ends = pack_quote(state, add_on), [lot.until for lot in lots]
    until = None if None in ends else max(end for end in ends if end is not None)
    amount = spent_by(asked.lines, state.account.currency)
    return Pack(add_on.lookup_key, add_on.name, units, amount, until, bool(asked.charged))


def _brings(add_on: AddOn, feature: Feature) -> bool:
    brought = [e.feature.id for e in add_on.entitlements if e.is_enabled]
    return feature.id in [*brought, *(g.feature.id for g in add_on.credit_grants)]


def _once(state: AccountState, add_on: AddOn) -> bool:
    """Whether this account would be charged once for it."""
    if state.subscription is None or add_on.status is not Status.PUBLISHED:
        return False
    price = price_for(add_on.prices, state.account.currency, state.subscription.cycle.interval)
    return price is not None and not price.is_recurring
