"""What tests ask of a subscription as time passes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.domain.access import Actor
from portal.models.invoices import CollectionRow, InvoiceLineRow, InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import renewing
from portal.services.renewing import Ran
from tests.support.world import World


def run(world: World) -> Ran:
    with world.session() as session:
        return renewing.run_due(session, world.scope, gateway=world.gateway, wall=world.wall)


def run_at(world: World, at: datetime) -> Ran:
    """Let the clock stand at `at`, then take every step that is due."""
    world.now = at
    return run(world)


def renewals(world: World, actor: Actor) -> list[InvoiceRow]:
    """The account's renewal invoices, oldest first."""
    mine = select(InvoiceRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        rows = session.scalars(mine.where(InvoiceRow.due_at.is_not(None)).order_by(InvoiceRow.id))
        return list(rows)


def lines(world: World, invoice: InvoiceRow) -> list[tuple[str, int, int]]:
    """Kind, quantity and amount of each line."""
    mine = select(InvoiceLineRow).filter_by(invoice_id=invoice.id)
    with world.session() as session:
        rows = session.scalars(mine.order_by(InvoiceLineRow.position))
        return [(r.kind, r.quantity, r.amount_minor) for r in rows]


def collections(world: World, actor: Actor) -> list[CollectionRow]:
    mine = select(CollectionRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        return list(session.scalars(mine.order_by(CollectionRow.invoice_id)))


def subscription(world: World, actor: Actor) -> SubscriptionRow:
    """The last one."""
    with world.session() as session:
        mine = select(SubscriptionRow).filter_by(account_id=actor.account_id)
        return session.scalars(mine.order_by(SubscriptionRow.id.desc()).limit(1)).one()
