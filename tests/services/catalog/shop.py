"""A database with one environment, a clock that ticks, and short ways to sell what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import AddOn, Catalog, Plan, Price
from portal.models.accounts import AccountRow
from portal.models.catalog import (
    AddOnRow,
    CreditGrantRow,
    EntitlementRow,
    FeatureRow,
    PlanRow,
    PriceRow,
)
from portal.models.events import EventRow
from portal.models.session import open_session
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.catalog import load_catalog, prices_by_id
from portal.services.accounts import ensure_environment
from portal.services.catalog.applying import Applied, Proposal, Refused, apply_catalog, propose
from portal.services.catalog.checking import CatalogFile, read_catalog
from portal.services.catalog.exporting import export_catalog
from tests.support.database import Database

OPENING = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = (FeatureRow, PlanRow, AddOnRow, PriceRow, EntitlementRow, CreditGrantRow, EventRow)


@dataclass
class Shop:
    engine: Engine
    scope: Scope
    at: datetime = OPENING
    accounts: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """An hour later each time."""
        self.at += timedelta(hours=1)
        return self.at

    def session(self) -> Session:
        return open_session(self.engine, self.scope.environment_id)

    def opened(self) -> AbstractContextManager[tuple[Session, Scope]]:
        return self._opened()

    @contextmanager
    def _opened(self) -> Iterator[tuple[Session, Scope]]:
        with self.session() as session:
            yield session, self.scope

    def apply(self, text: str) -> Applied | Refused:
        with self.session() as session:
            return apply_catalog(session, self.scope, sound(text), actor="test", now=self.now())

    def propose(self, text: str) -> Proposal:
        with self.session() as session:
            return propose(session, self.scope, sound(text), self.now())

    def catalog(self) -> Catalog:
        with self.session() as session:
            return load_catalog(session, self.scope)

    def export(self) -> str:
        return export_catalog(self.catalog())

    def plan(self, key: str) -> Plan:
        return next(plan for plan in self.catalog().plans if plan.lookup_key == key)

    def add_on(self, key: str) -> AddOn:
        return next(add_on for add_on in self.catalog().add_ons if add_on.lookup_key == key)

    def price(self, id: int) -> Price:
        with self.session() as session:
            features = load_catalog(session, self.scope).features
            return prices_by_id(session, self.scope, [id], features)[id]

    def price_rows(self, key: str) -> list[PriceRow]:
        """Every row of a price's lookup_key, the oldest first."""
        with self.session() as session:
            statement = select(PriceRow).where(PriceRow.lookup_key == key).order_by(PriceRow.id)
            return list(session.scalars(statement))

    def events(self) -> list[EventRow]:
        with self.session() as session:
            return list(session.scalars(select(EventRow).order_by(EventRow.id)))

    def row_counts(self) -> list[int]:
        with self.session() as session:
            counts = [session.scalar(select(func.count()).select_from(t)) for t in TABLES]
        return [count or 0 for count in counts]

    def subscribe(self, account: str, plan_key: str) -> None:
        """Put a new account of that name on a plan's first price."""
        plan = self.plan(plan_key)
        env = self.scope.environment_id
        with self.session() as session:
            row = AccountRow(environment_id=env, key=account, name=account, currency="usd")
            session.add(row)
            session.flush()
            session.add(
                SubscriptionRow(
                    environment_id=env,
                    account_id=row.id,
                    plan_id=plan.id,
                    price_id=plan.prices[0].id,
                    status="active",
                    billing_anchor_at=OPENING,
                    quota_anchor_at=OPENING,
                    billed_until_at=OPENING,
                    next_due_at=OPENING,
                    use_billed_until_at=OPENING,
                    started_at=OPENING,
                    plan_paid_from_at=OPENING,
                )
            )
            session.commit()
            self.accounts[account] = row.id

    def sell(self, account: str, key: str, until: datetime | None = None) -> int:
        """Sell one unit of an add-on at its first price; the id of the price row."""
        add_on = self.add_on(key)
        env, account_id = self.scope.environment_id, self.accounts[account]
        mine = (SubscriptionRow.environment_id == env, SubscriptionRow.account_id == account_id)
        with self.session() as session:
            subscription_id = session.scalars(select(SubscriptionRow.id).where(*mine)).one()
            session.add(
                InstanceRow(
                    environment_id=env,
                    account_id=account_id,
                    subscription_id=subscription_id,
                    add_on_id=add_on.id,
                    add_on_type=add_on.type,
                    price_id=add_on.prices[0].id,
                    quantity=1,
                    status="active",
                    starts_at=OPENING,
                    ends_at=until,
                    purchased_by=1,
                )
            )
            session.commit()
        return add_on.prices[0].id


def sound(text: str) -> Catalog:
    found = read_catalog(text.encode())
    assert isinstance(found, CatalogFile), found
    return found.catalog


@contextmanager
def open_shop(database: Database) -> Iterator[Shop]:
    engine = create_engine(database.app_url)
    with open_session(engine, None) as session:
        scope = ensure_environment(session, "acme", "Acme", "development")
    yield Shop(engine, scope)
    engine.dispose()
