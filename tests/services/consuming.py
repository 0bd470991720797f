"""A consumer who buys and withdraws, as tests say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.domain.legal import CustomerType, LegalProfile, Words
from portal.domain.quotes import Start
from portal.models.usage import LotRow
from portal.queries.contracts import contracts_of, plan_contract
from portal.services.contract_withdrawals import Withdrawal, foresee_add_on, foresee_plan
from portal.services.contract_withdrawing import withdraw_from
from tests.services.paying import Till
from tests.services.using import report, used
from tests.support.world import World

START = Words(LegalProfile.CONSUMER_EU, "eu", "en", "Order", "en", (), "I ask you to start.")
"""What a button said whose box asks for an immediate start."""


@dataclass
class Consumer:
    """One account, and what is done in it."""

    world: World
    actor: Actor

    def buy(
        self, add_on: str, quantity: int = 1, words: Words | None = START, start: Start = Start.NOW
    ) -> int:
        """The id of the instance."""
        quote = self.world.quote(self.actor, add_on, quantity, start=start)
        self.world.confirm(self.actor, replace(self.world.accept(quote), agreed=words))
        return max(each.id for each in self.world.state(self.actor).instances)

    def withdraw(self, instance_id: int | None) -> Withdrawal | None:
        """None: from the plan."""
        with self.world.session() as session:
            return withdraw_from(
                self.actor, instance_id,
                session=session, gateway=self.world.gateway, wall=self.world.wall,
            )  # fmt: skip

    def foresee(self, instance_id: int | None) -> Withdrawal:
        state, scope = self.world.state(self.actor), self.world.scope
        with self.world.session() as session:
            if instance_id is None:
                return foresee_plan(session, scope, state)
            return foresee_add_on(session, scope, state, instance_id)

    def open(self) -> list[int]:
        """Add-ons that can be withdrawn from."""
        state = self.world.state(self.actor)
        with self.world.session() as session:
            return sorted(contracts_of(session, self.world.scope, state))

    def may_leave_the_plan(self) -> bool:
        state = self.world.state(self.actor)
        with self.world.session() as session:
            return plan_contract(session, self.world.scope, state) is not None


def consumer_of(world: World, country: str = "FR", **more: Any) -> Consumer:
    kind = CustomerType.CONSUMER
    return Consumer(world, world.account(country=country, customer_type=kind, **more))


def use(world: World, consumer: Consumer, units: int) -> None:
    """Messages, now."""
    report(world, consumer.actor, used("messages", units, world.now))


def bought_units(world: World, consumer: Consumer) -> int:
    """What is left now of the units that add-ons brought."""
    row = LotRow
    mine = select(func.coalesce(func.sum(row.remaining), 0)).where(
        row.account_id == consumer.actor.account_id,
        row.instance_id.is_not(None),
        func.coalesce(row.expires_at > world.now, True),
    )
    with world.session() as session:
        return int(session.scalars(mine).one())


def sent_back(till: Till) -> list[tuple[int, str]]:
    """Amount and status of each refund."""
    return [(amount, status) for amount, _, status in till.refunds()]
