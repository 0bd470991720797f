"""The saved cards of an account, what renews on its default, and what holds each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Actor
from portal.domain.cards import Card, Expiry, Kept, Renewal, expiry, why_kept
from portal.domain.errors import NotFound
from portal.domain.instances import SubscriptionStatus
from portal.domain.price_changes import price_at
from portal.domain.proration import charge
from portal.domain.taxes import tax_on
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import MAY_STILL_TAKE, PaymentAttemptRow
from portal.queries.accounts import AccountState
from portal.queries.active import row_of

RENEWING = (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
"""Standings in which cycles are billed. Source: product.md §6 (renewal)."""


@dataclass(frozen=True, slots=True)
class ListedCard:
    """A card as the page shows it. kept: why it cannot be removed now."""

    card: Card
    expiry: Expiry
    kept: Kept | None

    @property
    def may_be_default(self) -> bool:
        return not self.card.is_default and self.expiry is not Expiry.EXPIRED


def listed_cards(
    session: Session, actor: Actor, state: AccountState, today: date
) -> tuple[ListedCard, ...]:
    """The account's cards, the default first, then the newest."""
    due, paying = renewals(state), _paying(session, actor)
    rows = session.scalars(_kept(actor))
    return tuple(_listed(row, due, row.id in paying, today) for row in rows)


def saved_cards(session: Session, actor: Actor) -> tuple[Card, ...]:
    """The same without what holds them: those that can be charged."""
    return tuple(card_of(row) for row in session.scalars(_kept(actor)))


def get_card(
    session: Session, actor: Actor, card_id: int, state: AccountState, today: date
) -> ListedCard:
    """Raises NotFound for another account's card and for one that was taken away."""
    row = session.scalar(
        _mine(actor).where(PaymentMethodRow.id == card_id, PaymentMethodRow.detached_at.is_(None))
    )
    if row is None:
        raise NotFound("card")
    return _listed(row, renewals(state), in_payment(session, row), today)


def _listed(
    row: PaymentMethodRow, due: tuple[Renewal, ...], paying: bool, today: date
) -> ListedCard:
    card = card_of(row)
    kept = why_kept(card, due, in_payment=paying)
    return ListedCard(card, expiry(card.exp_month, card.exp_year, today), kept)


def card_of(row: PaymentMethodRow) -> Card:
    return Card(
        id=row.id,
        brand=row.brand,
        last4=row.last4,
        exp_month=row.exp_month,
        exp_year=row.exp_year,
        is_default=row.is_default,
        since=row.created_at.astimezone(UTC),
        detached=row.detached_at is not None,
        refused=row.refused_at is not None,
    )


def renewals(state: AccountState) -> tuple[Renewal, ...]:
    """What will be charged again, soonest first, the plan before its add-ons.

    Nothing while cycles are not billed, and nothing that is free. Source: product.md §6.
    """
    subscription = state.subscription
    if subscription is None or subscription.status not in RENEWING:
        return ()
    trying = subscription.status is SubscriptionStatus.TRIALING
    cycle_ends = subscription.cycle.billing_period(state.now).end
    due_at = subscription.billed_until if trying else cycle_ends
    price = price_at(state.price_changes, None, subscription.price, due_at)
    amount = charge(price, Decimal(1), None, state.now)
    tax, each = tax_on(state.account.tax, amount), subscription.cycle.interval
    plan = Renewal(subscription.plan.name, due_at, amount, tax, each)
    renewing = [plan] if subscription.cancel_at is None else []
    found = [r for r in (*renewing, *_add_ons(state)) if r.amount]
    return tuple(sorted(found, key=lambda r: r.at))


def in_payment(session: Session, row: PaymentMethodRow) -> bool:
    """Whether a payment with this card has no end yet."""
    attempt = PaymentAttemptRow
    under_way = exists().where(
        attempt.environment_id == row.environment_id,
        attempt.account_id == row.account_id,
        attempt.payment_method_id == row.id,
        attempt.status.in_(MAY_STILL_TAKE),
    )
    return bool(session.scalar(select(under_way)))


def _paying(session: Session, actor: Actor) -> set[int | None]:
    """Ids of the account's cards that a payment without an end yet is made with."""
    attempt = PaymentAttemptRow
    under_way = select(attempt.payment_method_id).where(
        attempt.environment_id == actor.environment_id,
        attempt.account_id == actor.account_id,
        attempt.status.in_(MAY_STILL_TAKE),
    )
    return set(session.scalars(under_way))


def took_a_place(session: Session, row: PaymentMethodRow) -> bool:
    """Whether the same card had been saved before, and went at the instant this one came."""
    older = aliased(PaymentMethodRow)
    replaced = exists().where(
        older.environment_id == row.environment_id,
        older.account_id == row.account_id,
        older.fingerprint == row.fingerprint,
        older.id != row.id,
        older.detached_at == row.created_at,
    )
    return bool(row.fingerprint and session.scalar(select(replaced)))


def _kept(actor: Actor) -> Select[PaymentMethodRow]:
    return (
        _mine(actor)
        .where(PaymentMethodRow.detached_at.is_(None))
        .order_by(
            PaymentMethodRow.is_default.desc(),
            PaymentMethodRow.created_at.desc(),
            PaymentMethodRow.id.desc(),
        )
    )


def _mine(actor: Actor) -> Select[PaymentMethodRow]:
    return select(PaymentMethodRow).where(
        PaymentMethodRow.environment_id == actor.environment_id,
        PaymentMethodRow.account_id == actor.account_id,
    )


def _add_ons(state: AccountState) -> list[Renewal]:
    """What each add-on that renews is charged next; a scheduled one first when it starts."""
    found = []
    for instance in state.instances:
        row, each = row_of(state, instance), instance.price.interval
        if each and row.next_at and row.next_charge and row.next_tax is not None:
            name, id_ = instance.add_on.name, instance.id
            found.append(Renewal(name, row.next_at, row.next_charge, row.next_tax, each, id_))
    return found
