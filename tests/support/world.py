"""A small world for service and page tests: the demo catalog, one environment, accounts at will."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Executable, create_engine, func, select, update
from sqlalchemy.orm import Session

import portal.models  # noqa: F401  (loads every table)
from portal.domain.access import Actor, Role, Scope
from portal.domain.catalog import Catalog
from portal.domain.legal import CustomerType
from portal.domain.periods import Anchor, BillingNow, WallNow
from portal.domain.quotes import Quote, Request, Start
from portal.domain.taxes import NO_TAX, Tax
from portal.gateways.fake_payments import FakePayments
from portal.models.accounts import AccountRow, PersonRow
from portal.models.session import open_session
from portal.models.tenants import EnvironmentRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.catalog import load_catalog
from portal.services import accounts, purchases
from portal.services.accepting import Acceptance
from portal.services.accounts import NewAccount
from portal.services.catalog.applying import apply_catalog
from portal.services.catalog.checking import CatalogFile, read_catalog
from portal.services.passwords import hash_password
from portal.services.purchases import PurchaseOutcome
from portal.services.ways import CardChoice, Paying

ROOT = Path(__file__).parents[2]
APRIL_11 = datetime(2026, 4, 11, tzinfo=UTC)
"""20 of 30 days left of a cycle that began on 1 April."""
PASSWORD = "correct horse"


@dataclass
class World:
    """One environment; `now` is the wall clock and every account's clock, and can be set."""

    app_url: str
    now: datetime = APRIL_11
    gateway: Any = field(default_factory=FakePayments)
    count: int = 0

    @cached_property
    def engine(self) -> Engine:
        return create_engine(self.app_url, pool_size=20)

    @property
    def wall(self) -> WallNow:
        return WallNow(self.now)

    @cached_property
    def scope(self) -> Scope:
        with open_session(self.engine, None) as session:
            return accounts.ensure_environment(session, "default", "Acme", "development")

    def seed(self) -> None:
        """Apply the demo catalog, and leave the database alone."""
        with self.session() as session:
            found = read_catalog((ROOT / "catalog.yaml").read_bytes())
            assert isinstance(found, CatalogFile)
            apply_catalog(session, self.scope, found.catalog, actor="test", now=self.now)
        self.engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Session]:
        with open_session(self.engine, self.scope.environment_id) as session:
            yield session

    def catalog(self) -> Catalog:
        with self.session() as session:
            return load_catalog(session, self.scope)

    def account(
        self,
        *,
        plan: str = "growth",
        price: str = "growth_monthly_usd",
        currency: str = "usd",
        since: datetime = datetime(2026, 4, 1, tzinfo=UTC),
        zone: str = "UTC",
        tax: Tax = NO_TAX,
        card: str | None = "pm_card_visa",
        role: Role = Role.OWNER,
        country: str = "",
        customer_type: CustomerType = CustomerType.BUSINESS,
    ) -> Actor:
        """A new account on a plan, and its first member."""
        self.count += 1
        key = f"account{self.count}"
        with self.session() as session:
            new = NewAccount(key, key.title(), currency, zone, tax, country, customer_type)
            account_id = accounts.create_account(session, self.scope, new, self.wall)
            mail = f"owner@{key}.test"
            accounts.ensure_customer(session, self.scope, account_id, mail, self.gateway)
            if card:
                accounts.save_card(session, self.scope, account_id, card, self.gateway, self.wall)
            sold = next(p for p in self.catalog().plans if p.lookup_key == plan)
            at = next(p for p in sold.prices if p.lookup_key == price)
            billed = Anchor(since, zone).period_at(self.now, at.interval).end
            accounts.subscribe(session, self.scope, account_id, sold, at, since, billed)
        return self.member(account_id, mail, role)

    def member(self, account_id: int, mail: str, role: Role) -> Actor:
        with self.session() as session:
            accounts.add_member(
                session, self.scope, account_id, mail, "Somebody", role, PASSWORD_HASH
            )
            person = session.scalars(select(PersonRow.id).where(PersonRow.email == mail)).one()
        return Actor(person, account_id, self.scope, role)

    def state(self, actor: Actor) -> AccountState:
        with self.session() as session:
            return account_state(session, self.scope, actor.account_id, self.wall)

    def quote(
        self, actor: Actor, add_on: str, quantity: int = 1, renew: bool = True,
        start: Start = Start.NOW,
    ) -> Quote:  # fmt: skip
        return purchases.offer(self.state(actor), Request(add_on, quantity, renew, start))

    def accept(self, quote: Quote, nonce: str = "") -> Acceptance[Request]:
        self.count += 1
        return Acceptance(
            request=quote.request,
            at=BillingNow(quote.at),
            digest=quote.digest,
            nonce=nonce or f"nonce-{self.count}",
            issued_at=self.wall,
            shown_due=quote.due,
        )

    def confirm(
        self, actor: Actor, accepted: Acceptance[Request], card: CardChoice = "default"
    ) -> PurchaseOutcome:
        with self.session() as session:
            return purchases.confirm(
                actor, accepted, paying(card),
                session=session, gateway=self.gateway, wall=self.wall,
            )  # fmt: skip

    def buy(
        self, actor: Actor, add_on: str, quantity: int = 1, renew: bool = True,
        start: Start = Start.NOW,
    ) -> PurchaseOutcome:  # fmt: skip
        return self.confirm(actor, self.accept(self.quote(actor, add_on, quantity, renew, start)))

    def key_of(self, actor: Actor) -> str:
        """The number in the account's key and in its first member's address."""
        with self.session() as session:
            row = session.get_one(AccountRow, (self.scope.environment_id, actor.account_id))
        return row.key.removeprefix("account")

    def change(self, *statements: Executable) -> None:
        """Change rows behind the services' back; readers notice, as after a new catalog."""
        grown = update(EnvironmentRow).values(catalog_version=EnvironmentRow.catalog_version + 1)
        with self.session() as session:
            for statement in (*statements, grown):
                session.execute(statement)
            session.commit()

    def customer(self, account_id: int) -> str:
        """The processor's id of the account."""
        with self.session() as session:
            row = session.get_one(AccountRow, (self.scope.environment_id, account_id))
        return row.stripe_customer_id or ""

    def rows(self, table: type, **where: object) -> int:
        """How many rows of `table` the environment has."""
        with self.session() as session:
            return session.scalar(select(func.count()).select_from(table).filter_by(**where)) or 0

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


def paying(card: CardChoice = "default") -> Paying:
    return Paying(card, lambda purchase_id: f"http://portal.test/purchases/{purchase_id}")


PASSWORD_HASH = hash_password(PASSWORD)
