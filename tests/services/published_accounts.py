"""Accounts as published cases have them: of any price, interval, zone and start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import delete, select, update

from portal.domain.access import Actor
from portal.domain.money import Money
from portal.domain.periods import Interval
from portal.domain.taxes import NO_TAX, Tax
from portal.models.catalog import PriceRow
from portal.models.credit_notes import CreditNoteLineRow, CreditNoteRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import accounts
from tests.services.changing import ANNUAL, Office
from tests.services.paying import Till
from tests.support.world import World

PLAN, DEARER = "starter", "growth"
ADD_ON, SECOND_ADD_ON = "storage_100gb", "members_5"
"""Both may be held any number of times, up to twenty units."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line as it is stored, the tax on it, and its period."""

    kind: str
    amount: Money
    tax: Money
    start: datetime
    end: datetime


@dataclass
class Setting:
    """One world, and what the account of a case pays in and lives by."""

    world: World
    currency: str = "usd"
    zone: str = "UTC"
    tax: Tax = NO_TAX

    @property
    def office(self) -> Office:
        return Office(self.world, Till(self.world))

    def price(self, of: str, amount: str, interval: Interval, trial_days: int = 0) -> str:
        """Let a plan or an add-on cost `amount` major units every `interval`; the lookup key."""
        key = f"{of}_{'annual' if interval == ANNUAL else 'monthly'}_{self.currency}"
        values = {
            "amount": Decimal(amount),
            "billing_period": interval.period,
            "billing_period_count": interval.count,
            "trial_period_days": trial_days,
        }
        self.world.change(update(PriceRow).where(PriceRow.lookup_key == key).values(**values))
        return key

    def account(self, since: datetime, interval: Interval, amount: str = "30") -> Actor:
        """On the plan, whose first period the portal billed when it began."""
        key = self.price(PLAN, amount, interval)
        pays = {"currency": self.currency, "zone": self.zone, "tax": self.tax}
        return self.office.account(since, plan=PLAN, price=key, **pays)

    def on_trial(self, since: datetime, interval: Interval, days: int) -> Actor:
        """On a trial of the plan; nothing is billed."""
        key, world = self.price(PLAN, "30", interval, days), self.world
        world.now = since
        actor = world.account(plan=PLAN, price=key, since=since, zone=self.zone)
        plan = next(p for p in world.catalog().plans if p.lookup_key == PLAN)
        price = next(p for p in plan.prices if p.lookup_key == key)
        with world.session() as session:
            session.execute(delete(SubscriptionRow).filter_by(account_id=actor.account_id))
            accounts.subscribe(session, world.scope, actor.account_id, plan, price, since)
        return actor

    def bill(self, actor: Actor, back: int = 1) -> list[Written]:
        """Charges and credits on one of the last invoices."""
        mine = select(InvoiceRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            invoice = session.scalars(mine.order_by(InvoiceRow.number.desc())).all()[back - 1]
            of = select(InvoiceLineRow).filter_by(invoice_id=invoice.id)
            return self._written(session.scalars(of.order_by(InvoiceLineRow.position)))

    def note(self, number: int) -> list[Written]:
        """Credits on a credit note."""
        with self.world.session() as session:
            found = session.scalars(select(CreditNoteRow).filter_by(number=number)).one()
            of = select(CreditNoteLineRow).filter_by(credit_note_id=found.id)
            return self._written(session.scalars(of.order_by(CreditNoteLineRow.position)))

    def _written(self, rows: Iterable[InvoiceLineRow | CreditNoteLineRow]) -> list[Written]:
        """A tax is on the line before it."""
        found: list[Written] = []
        for row in rows:
            amount = Money(row.amount_minor, self.currency)
            if row.kind in ("charge", "credit"):
                assert row.period_start_at is not None
                assert row.period_end_at is not None
                span = (row.period_start_at.astimezone(UTC), row.period_end_at.astimezone(UTC))
                found.append(Written(row.kind, amount, Money.zero(self.currency), *span))
            elif row.kind == "tax":
                one = found.pop()
                found.append(Written(one.kind, one.amount, one.tax + amount, one.start, one.end))
        return found


def end_all(world: World) -> None:
    """Nothing of the case that was is due in the next one, whenever that plays."""
    row = SubscriptionRow
    over = {"ended_at": world.now, "cancel_at": world.now}
    world.change(update(row).where(row.ended_at.is_(None)).values(**over))
