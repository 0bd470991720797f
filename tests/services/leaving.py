"""What a member does who leaves, as tests say it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from portal.domain.access import Actor
from portal.domain.ledger import LedgerAccount, Transfer, TransferCode
from portal.domain.money import Money
from portal.models.catalog import PriceRow
from portal.models.ledger import AccountBalanceRow
from portal.models.mails import MailRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.services import accounts, cancelling, instances
from portal.services.books import post
from tests.services.time_passing import run_at
from tests.support.world import World


def cancel_plan(world: World, actor: Actor, reason: str = "") -> datetime:
    with world.session() as session:
        return cancelling.cancel_plan(
            actor, reason, session=session, gateway=world.gateway, wall=world.wall
        )


def gone(world: World, actor: Actor) -> datetime:
    """Cancel the plan and let time pass until it has ended; when that was."""
    ends_at = cancel_plan(world, actor)
    run_at(world, ends_at)
    assert world.state(actor).former is not None
    return ends_at


def keep_plan(world: World, actor: Actor) -> datetime | None:
    with world.session() as session:
        return cancelling.keep_plan(actor, session=session, gateway=world.gateway, wall=world.wall)


def cancel_add_on(world: World, actor: Actor, instance_id: int) -> None:
    with world.session() as session:
        instances.cancel(actor, instance_id, "", session=session, wall=world.wall)


def keep_add_on(world: World, actor: Actor, instance_id: int) -> None:
    with world.session() as session:
        instances.keep(actor, instance_id, session=session, wall=world.wall)


def save_card(world: World, actor: Actor, card: str = "pm_card_visa") -> None:
    with world.session() as session:
        accounts.save_card(session, world.scope, actor.account_id, card, world.gateway, world.wall)


def told(world: World, actor: Actor, kind: str) -> list[dict[str, Any]]:
    """The notices of one kind that were stored for the account, oldest first."""
    mine = select(MailRow).filter_by(account_id=actor.account_id, kind=kind)
    with world.session() as session:
        return [row.notice for row in session.scalars(mine.order_by(MailRow.id))]


def renewal(notice: dict[str, Any]) -> tuple[str, int, datetime] | None:
    """Name, minor amount and date of what it says is charged next."""
    next_ = notice["renewing"]
    if next_ is None:
        return None
    return next_["name"], next_["amount"]["minor"], datetime.fromisoformat(next_["at"])


def instance_rows(world: World, actor: Actor) -> list[InstanceRow]:
    mine = select(InstanceRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        return list(session.scalars(mine.order_by(InstanceRow.id)))


def on_trial(
    world: World,
    since: datetime,
    days: int = 14,
    card: str | None = "pm_card_visa",
    plan: str = "starter",
) -> Actor:
    """An account whose plan is on trial since then."""
    actor, key = world.account(card=card), f"{plan}_monthly_usd"
    world.change(
        update(PriceRow).where(PriceRow.lookup_key == key).values(trial_period_days=days),
        delete(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id),
    )
    sold = next(p for p in world.catalog().plans if p.lookup_key == plan)
    price = next(p for p in sold.prices if p.lookup_key == key)
    with world.session() as session:
        accounts.subscribe(session, world.scope, actor.account_id, sold, price, since)
    return actor


def monthly_only(world: World, add_on: str) -> None:
    """Take the add-on's yearly price away: on a yearly plan it keeps a rhythm of its own."""
    yearly = PriceRow.lookup_key == f"{add_on}_annual_usd"
    world.change(update(PriceRow).where(yearly).values(currency="chf"))


def carry(world: World, actor: Actor, cents: int) -> None:
    """Small amounts left from earlier, as two that were open at once leave them."""
    moved = Transfer(
        LedgerAccount.CARRIED, LedgerAccount.REVENUE, Money(cents, "usd"),
        TransferCode.SALE, f"earlier:{actor.account_id}",
    )  # fmt: skip
    with world.session() as session:
        post(session, world.scope.environment_id, actor.account_id, [moved], world.now)
        session.merge(
            AccountBalanceRow(
                environment_id=world.scope.environment_id, account_id=actor.account_id,
                currency="usd", balance_minor=0, carried_minor=cents,
                balance_reserved_minor=0, carried_reserved_minor=0,
            )
        )  # fmt: skip
        session.commit()
