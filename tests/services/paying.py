"""What a member, a bank and the processor's events do to one purchase, as tests say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.domain.access import Actor
from portal.gateways.fake_payments import FakePayments
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, RefundRow
from portal.queries.purchases import Purchase, get_purchase
from portal.services import purchases, waiting
from portal.services.charging import PaymentOutcome
from portal.services.inbox import receive
from portal.services.reconciling import Reconciled, reconcile
from portal.services.verifying import verify
from portal.services.waiting import NoTimeForCheckout
from portal.services.ways import CardChoice
from tests.support.world import World, paying


@dataclass
class Till:
    """One world, and what is done in it."""

    world: World

    @property
    def gateway(self) -> FakePayments:
        found: FakePayments = self.world.gateway
        return found

    def finish(self, actor: Actor, purchase_id: int) -> PaymentOutcome:
        with self.world.session() as session:
            return purchases.finish(
                actor, purchase_id,
                session=session, gateway=self.gateway, wall=self.world.wall,
            )  # fmt: skip

    def pay(
        self, actor: Actor, purchase_id: int, card: CardChoice = "default"
    ) -> PaymentOutcome | NoTimeForCheckout:
        with self.world.session() as session:
            return waiting.pay(
                actor, purchase_id, paying(card),
                session=session, gateway=self.gateway, wall=self.world.wall,
            )  # fmt: skip

    def stop(self, actor: Actor, purchase_id: int) -> PaymentOutcome:
        with self.world.session() as session:
            return waiting.stop(
                actor, purchase_id,
                session=session, gateway=self.gateway, wall=self.world.wall,
            )  # fmt: skip

    def reconcile(self) -> Reconciled:
        with self.world.session() as session:
            return reconcile(session, self.world.scope, gateway=self.gateway, wall=self.world.wall)

    def hear(self, kind: str, thing: str, reference: str, **more: str) -> None:
        """Stripe's event about one object, as the webhook hands it over."""
        self.world.count += 1
        news = _News(f"evt_{self.world.count}", kind, {"object": thing, "id": reference} | more)
        with self.world.session() as session:
            receive(session, self.world.scope, news, gateway=self.gateway, wall=self.world.wall)

    def attempts(self, purchase_id: int) -> list[PaymentAttemptRow]:
        mine = select(PaymentAttemptRow).filter_by(purchase_id=purchase_id)
        with self.world.session() as session:
            return list(session.scalars(mine.order_by(PaymentAttemptRow.number)))

    def page(self, purchase_id: int) -> str:
        """The reference of the Checkout that is open for it, or was last."""
        return next(a.page_ref for a in reversed(self.attempts(purchase_id)) if a.page_ref)

    def shown(self, actor: Actor, purchase_id: int) -> Purchase:
        with self.world.session() as session:
            return get_purchase(session, actor, purchase_id)

    def row(self, purchase_id: int) -> PurchaseRow:
        with self.world.session() as session:
            return session.get_one(PurchaseRow, (self.world.scope.environment_id, purchase_id))

    def refunds(self) -> list[tuple[int, str, str]]:
        """Amount, reason and status of each."""
        with self.world.session() as session:
            rows = session.scalars(select(RefundRow).order_by(RefundRow.id))
            return [(r.amount_minor, r.reason, r.status) for r in rows]

    def cards(self, actor: Actor) -> list[tuple[str, bool]]:
        """Last four digits of those that are kept, and which is the default."""
        mine = select(PaymentMethodRow).filter_by(account_id=actor.account_id, detached_at=None)
        with self.world.session() as session:
            rows = session.scalars(mine.order_by(PaymentMethodRow.id))
            return [(r.last4, r.is_default) for r in rows]

    def taken(self) -> list[int]:
        return [asked.amount.minor for asked in self.gateway.taken]

    def holds(self, actor: Actor) -> list[str]:
        return [i.add_on.lookup_key for i in self.world.state(actor).held]

    def books_agree(self) -> bool:
        with self.world.session() as session:
            return verify(session, self.world.scope) == []


class _News:
    ignored = False

    def __init__(self, event_id: str, kind: str, thing: dict[str, str]) -> None:
        self.id, self.type = event_id, kind
        self.payload: dict[str, Any] = {"data": {"object": thing}}
