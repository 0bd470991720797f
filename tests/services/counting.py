"""What a member does to the quantity of an instance, as tests say it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from portal.domain.access import Actor
from portal.domain.periods import BillingNow
from portal.domain.quantity_changes import QuantityQuote, QuantityReason, QuantityRequest
from portal.models.subscriptions import InstanceRow
from portal.queries import usage
from portal.services import instances, quantities
from portal.services.accepting import Acceptance
from portal.services.capacity import open_windows_now
from portal.services.quantities import QuantityOutcome, QuantityRefused
from portal.services.ways import CardChoice
from tests.support.world import World, paying


@dataclass
class Counter:
    """One world, and the quantities in it."""

    world: World

    def held(self, actor: Actor, add_on: str, quantity: int) -> int:
        """The id of an instance that was just bought."""
        before = {i.id for i in self.world.state(actor).instances}
        self.world.buy(actor, add_on, quantity)
        return next(i.id for i in self.world.state(actor).instances if i.id not in before)

    def quote(self, actor: Actor, instance_id: int, quantity: int) -> QuantityQuote:
        request = QuantityRequest(instance_id, quantity)
        return quantities.offer(self.world.state(actor), request)

    def accept(self, quote: QuantityQuote) -> Acceptance[QuantityRequest]:
        self.world.count += 1
        return Acceptance(
            request=quote.request,
            at=BillingNow(quote.at),
            digest=quote.digest,
            nonce=f"quantity-{self.world.count}",
            issued_at=self.world.wall,
            shown_due=quote.due.charged,
        )

    def confirm(
        self, actor: Actor, accepted: Acceptance[QuantityRequest], card: CardChoice = "default"
    ) -> QuantityOutcome:
        world = self.world
        with world.session() as session:
            return quantities.change(
                actor, accepted, paying(card),
                session=session, gateway=world.gateway, wall=world.wall,
            )  # fmt: skip

    def change(self, actor: Actor, instance_id: int, quantity: int) -> QuantityOutcome:
        return self.confirm(actor, self.accept(self.quote(actor, instance_id, quantity)))

    def row(self, instance_id: int) -> InstanceRow:
        with self.world.session() as session:
            key = (self.world.scope.environment_id, instance_id)
            return session.get_one(InstanceRow, key)

    def allowance(self, actor: Actor, feature: str) -> Decimal | None:
        """What there is of a feature now, with this window's lots opened."""
        world, state = self.world, self.world.state(actor)
        with world.session() as session:
            open_windows_now(session, world.scope, state)
            found = usage.meters(session, world.scope, state)
        return next(m.allowance for m in found if m.feature.lookup_key == feature)


def charged(world: World) -> int:
    return int(world.gateway.taken[-1].amount.minor)


def reason(outcome: object) -> QuantityReason:
    assert isinstance(outcome, QuantityRefused)
    return outcome.refusal.reason


def cancel(world: World, actor: Actor, instance_id: int) -> None:
    with world.session() as session:
        instances.cancel(actor, instance_id, "", session=session, wall=world.wall)
