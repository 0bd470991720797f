"""What tests do with saved cards: add, choose, and hear of them, as a member or as Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.models.accounts import PaymentMethodRow
from portal.models.events import EventRow
from portal.services import card_entry, cards
from portal.services.card_entry import Added, Renewed
from portal.services.recording import Doer
from portal.services.till import Till, till_of
from tests.support.world import World

BACK = "http://portal.test/settings/billing/payment-methods"
STRIPE = Doer("stripe")


@contextmanager
def till(world: World, actor: Actor | None = None) -> Iterator[Till]:
    """A member's, or Stripe's."""
    with world.session() as session:
        if actor is not None:
            yield till_of(actor, session, world.gateway, world.wall)
        else:
            yield Till(session, world.gateway, world.scope, world.wall, STRIPE)


def choose(world: World, actor: Actor, step: Callable[..., Any], card_id: int) -> Any:
    with world.session() as session:
        return step(actor, card_id, session=session, gateway=world.gateway, wall=world.wall)


def begin(world: World, actor: Actor) -> str:
    """The reference of a page that was opened."""
    with world.session() as session:
        url = card_entry.begin_entry(
            actor, f"{BACK}/return?session_id={{CHECKOUT_SESSION_ID}}", BACK,
            session=session, gateway=world.gateway, wall=world.wall,
        )  # fmt: skip
    return url.rpartition("/")[2]


def finish(world: World, page: str, actor: Actor | None = None) -> card_entry.Entered:
    with till(world, actor) as mine:
        return card_entry.finish_entry(mine, page)


def add(world: World, actor: Actor, name: str = "visa") -> int:
    """The id of a card that was typed on a page."""
    page = begin(world, actor)
    world.gateway.save_on_page(page, name)
    outcome = finish(world, page, actor)
    assert isinstance(outcome, (Added, Renewed))
    return outcome.card.id


def sync(world: World, reference: str) -> None:
    with till(world) as theirs:
        cards.sync(theirs, reference)


def rows(world: World, actor: Actor) -> list[PaymentMethodRow]:
    with world.session() as session:
        mine = PaymentMethodRow.account_id == actor.account_id
        return list(session.scalars(select(PaymentMethodRow).where(mine).order_by("id")))


def live(world: World, actor: Actor) -> list[tuple[str, bool]]:
    """Last figures and default-ness of the cards that are there, oldest first."""
    return [(r.last4, r.is_default) for r in rows(world, actor) if r.detached_at is None]


def reference(world: World, card_id: int) -> str:
    with world.session() as session:
        row = session.get_one(PaymentMethodRow, (world.scope.environment_id, card_id))
    return row.stripe_payment_method_id


def facts(world: World, actor: Actor, start: str = "card:") -> list[tuple[str, str]]:
    """Names and doers of what was recorded, in order."""
    with world.session() as session:
        mine = select(EventRow).where(
            EventRow.account_id == actor.account_id, EventRow.name.startswith(start)
        )
        return [(e.name, e.actor) for e in session.scalars(mine.order_by(EventRow.id))]


def expire(world: World, card_id: int) -> None:
    gone = {"exp_month": 3, "exp_year": 2026}
    world.change(update(PaymentMethodRow).where(PaymentMethodRow.id == card_id).values(**gone))
