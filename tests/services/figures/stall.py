"""A stall that sells whatever a figure needs, by a catalog file, and shows what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.domain.catalog import AddOn, Feature, Plan, Price
from portal.domain.money import Money
from portal.domain.periods import BillingNow
from portal.domain.taxes import NO_TAX, Tax
from portal.domain.usage import Usage
from portal.models.purchases import PurchaseRow, QuoteLineRow
from portal.models.usage import LotRow
from portal.queries.usage import Meter, meters
from portal.services import usage
from portal.services.capacity import open_windows_now
from portal.services.catalog.applying import Applied, apply_catalog
from portal.services.catalog.checking import CatalogFile, read_catalog
from portal.services.catalog.exporting import export_catalog
from portal.services.charging import Settled
from tests.services.changing import Office
from tests.services.paying import Till
from tests.support.world import World
from tests.unit.samples import add_on, instant

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Held:
    """A lot as it is stored. left: what is still in it."""

    units: Decimal
    left: Decimal
    since: datetime
    until: datetime | None


@dataclass
class Stall:
    """One world, its till and its office; every add-on sold here has a name of its own."""

    world: World

    def __post_init__(self) -> None:
        self.till = Till(self.world)
        self.office = Office(self.world, self.till)

    def at(self, text: str) -> None:
        self.world.now = instant(text)

    def sell(self, *prices: Price, **more: object) -> str:
        """Publish an add-on with these prices; its lookup key."""
        key = f"figure_{next(_numbers)}"
        self.publish(add_ons=(add_on(*_named(key, prices), lookup_key=key, **more),))
        return key

    def publish(
        self,
        features: tuple[Feature, ...] = (),
        plans: tuple[Plan, ...] = (),
        add_ons: tuple[AddOn, ...] = (),
    ) -> None:
        """Apply today's catalog and these on top, as a file says it; an add-on may be one anew."""
        found, own = self.world.catalog(), {each.lookup_key for each in add_ons}
        wanted = replace(
            found,
            features=(*found.features, *features),
            plans=(*found.plans, *plans),
            add_ons=(*(each for each in found.add_ons if each.lookup_key not in own), *add_ons),
        )
        file = read_catalog(export_catalog(wanted).encode())
        assert isinstance(file, CatalogFile), file
        with self.world.session() as session:
            world = self.world
            done = apply_catalog(
                session, world.scope, file.catalog, actor="test", now=BillingNow(world.now)
            )
        assert isinstance(done, Applied), done

    def feature(self, key: str) -> Feature:
        return next(f for f in self.world.catalog().features if f.lookup_key == key)

    def account(
        self,
        since: str = "2026-04-01",
        price: str = "growth_monthly_usd",
        currency: str = "usd",
        tax: Tax = NO_TAX,
    ) -> Actor:
        """An account whose plan was billed by the portal when it began."""
        plan = next(p for p in self.world.catalog().plans if price in _keys(p.prices)).lookup_key
        began = instant(since)
        given = {"plan": plan, "price": price, "currency": currency, "tax": tax}
        return self.office.account(began, **given)

    def buy(self, actor: Actor, key: str, quantity: int = 1, renew: bool = True) -> None:
        assert isinstance(self.world.buy(actor, key, quantity, renew), Settled)

    def bill(self, actor: Actor, back: int = 1) -> list[tuple[str, int]]:
        """Kind and minor amount of each line of one of the last invoices."""
        return [(kind, amount) for kind, _, amount in self.office.bill(actor, back)]

    def sold(self, actor: Actor) -> list[tuple[str, int]]:
        """The same of the last purchase, which has no invoice where all comes to nothing."""
        last = select(func.max(PurchaseRow.quote_id)).filter_by(account_id=actor.account_id)
        lines = select(QuoteLineRow.kind, QuoteLineRow.amount_minor).where(
            QuoteLineRow.quote_id == last.scalar_subquery()
        )
        with self.world.session() as session:
            return [(kind, minor) for kind, minor in session.execute(lines)]

    def renew(self, at: str) -> None:
        self.at(at)
        self.office.run_due()

    @property
    def books_agree(self) -> bool:
        return self.till.books_agree()

    def lots(self, actor: Actor, feature: str) -> list[Held]:
        """The account's lots of a feature, in the order they were opened."""
        mine = select(LotRow).filter_by(
            account_id=actor.account_id, feature_id=self.feature(feature).id
        )
        with self.world.session() as session:
            open_windows_now(session, self.world.scope, self.world.state(actor))
            rows = session.scalars(mine.order_by(LotRow.effective_at, LotRow.id)).all()
            return [
                Held(
                    r.granted,
                    r.remaining,
                    _utc(r.effective_at),
                    r.expires_at and _utc(r.expires_at),
                )
                for r in rows
            ]

    def use(self, actor: Actor, feature: str, units: str) -> None:
        event = Usage(f"event-{next(_numbers)}", feature, Decimal(units), self.world.now)
        with self.world.session() as session:
            account_id, wall = actor.account_id, self.world.wall
            assert usage.count(session, self.world.scope, account_id, [event], wall) == 1

    def meter(self, actor: Actor, feature: str) -> Meter:
        state = self.world.state(actor)
        with self.world.session() as session:
            open_windows_now(session, self.world.scope, state)
            found = meters(session, self.world.scope, state)
        return next(m for m in found if m.feature.lookup_key == feature)


def _named(key: str, prices: tuple[Price, ...]) -> tuple[Price, ...]:
    """Prices named after what they are for, its interval and the currency."""
    return tuple(
        replace(price, lookup_key=f"{key}_{price.type}_{_length(price)}_{price.currency}".lower())
        for price in prices
    )


def _length(price: Price) -> str:
    return price.interval.period.lower() if price.interval else "once"


def _keys(prices: tuple[Price, ...]) -> list[str]:
    return [price.lookup_key for price in prices]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def minor(amount: str, code: str = "usd") -> int:
    return Money.from_major(Decimal(amount), code).minor
