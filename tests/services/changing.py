"""What a member does to the plan of an account, as tests say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.periods import BillingNow, BillingPeriod, Interval
from portal.domain.plan_changes import PlanQuote, PlanRequest
from portal.models.catalog import PriceRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.subscriptions import InstanceRow, PlanChangeRow, SubscriptionRow
from portal.services import plans, renewing
from portal.services.accepting import Acceptance
from portal.services.plans import PlanOutcome
from portal.services.ways import CardChoice
from tests.services.paying import Till
from tests.support.world import World, paying

MONTHLY, ANNUAL = Interval(BillingPeriod.MONTHLY), Interval(BillingPeriod.ANNUAL)
APRIL_1 = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass
class Office:
    """One world and its till, and the accounts whose plans change."""

    world: World
    till: Till

    def account(self, since: datetime = APRIL_1, **given: str | None) -> Actor:
        """An account whose first period was billed and charged by the portal itself."""
        later, self.world.now = self.world.now, since
        actor = self.world.account(since=since, **given)  # type: ignore[arg-type]
        row = SubscriptionRow
        at = {"billed_until_at": since, "next_due_at": since}
        self.world.change(update(row).where(row.account_id == actor.account_id).values(**at))
        self.run_due()
        self.world.now = later
        return actor

    def reprice(self, lookup_key: str, amount: str) -> None:
        row = PriceRow
        values = {"amount": Decimal(amount)}
        self.world.change(update(row).where(row.lookup_key == lookup_key).values(**values))

    def run_due(self) -> int:
        world = self.world
        with world.session() as session:
            ran = renewing.run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
        return ran.steps

    def quote(self, actor: Actor, plan: str, interval: Interval = MONTHLY) -> PlanQuote:
        state = self.world.state(actor)
        with self.world.session() as session:
            return plans.offer(session, actor, state, PlanRequest(plan, interval))

    def accept(self, quote: PlanQuote) -> Acceptance[PlanRequest]:
        self.world.count += 1
        return Acceptance(
            request=quote.request,
            at=BillingNow(quote.at),
            digest=quote.digest,
            nonce=f"plan-{self.world.count}",
            issued_at=self.world.wall,
            shown_due=quote.due.charged,
        )

    def confirm(
        self, actor: Actor, accepted: Acceptance[PlanRequest], card: CardChoice = "default"
    ) -> PlanOutcome:
        world = self.world
        with world.session() as session:
            return plans.change(
                actor, accepted, paying(card),
                session=session, gateway=world.gateway, wall=world.wall,
            )  # fmt: skip

    def change(self, actor: Actor, plan: str, interval: Interval = MONTHLY) -> PlanOutcome:
        return self.confirm(actor, self.accept(self.quote(actor, plan, interval)))

    def withdraw(self, actor: Actor) -> bool:
        world = self.world
        with world.session() as session:
            return plans.withdraw(actor, session=session, gateway=world.gateway, wall=world.wall)

    def plan(self, actor: Actor) -> tuple[str, str, datetime]:
        """The plan, its price, and until when it was billed."""
        found = self.world.state(actor).subscription
        assert found is not None
        return found.plan.lookup_key, found.price.lookup_key, found.billed_until

    def subscription(self, actor: Actor) -> SubscriptionRow:
        mine = select(SubscriptionRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return session.scalars(mine).one()

    def instance(self, actor: Actor, number: int = 0) -> InstanceRow:
        mine = select(InstanceRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return session.scalars(mine.order_by(InstanceRow.id)).all()[number]

    def agreed(self, actor: Actor) -> list[tuple[str, datetime]]:
        """Status and date of each change that was agreed for the end of a term."""
        mine = select(PlanChangeRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            rows = session.scalars(mine.order_by(PlanChangeRow.id)).all()
        return [(row.status, row.effective_at.astimezone(UTC)) for row in rows]

    def bill(self, actor: Actor, back: int = 1) -> list[tuple[str, str, int]]:
        """Kind, name and minor amount of each line of one of the last invoices."""
        with self.world.session() as session:
            mine = select(InvoiceRow).filter_by(account_id=actor.account_id)
            invoice = session.scalars(mine.order_by(InvoiceRow.number.desc())).all()[back - 1]
            lines = session.scalars(
                select(InvoiceLineRow)
                .filter_by(invoice_id=invoice.id)
                .order_by(InvoiceLineRow.position)
            )
            return [(line.kind, line.name, line.amount_minor) for line in lines]
