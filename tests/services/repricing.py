"""What an operator does to the prices of a world, as tests say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.price_changes import PriceAhead
from portal.models.mails import MailRow
from portal.models.price_changes import PriceChangeRow
from portal.queries.billing import next_bills, prices_ahead
from portal.services.catalog.applying import Applied, apply_catalog
from portal.services.catalog.calling_off import call_off_migration
from portal.services.catalog.checking import CatalogFile, read_catalog
from portal.services.catalog.migrating import (
    Announcement,
    Migration,
    announce_migration,
    propose_migration,
)
from portal.services.recording import Doer
from portal.services.reminding import remind_of_prices
from tests.support.world import ROOT, World

GROWTH, SALESFORCE = "growth_monthly_usd", "salesforce_monthly_usd"


@dataclass
class Operator:
    """One world, the amounts that its file says by now, and the commands about prices."""

    world: World
    amounts: dict[str, str]

    def sell(self, **amounts: str) -> None:
        """Apply the demo catalog with other amounts, by lookup key: the old rows end."""
        self.amounts |= amounts
        text = (ROOT / "catalog.yaml").read_text()
        for key, amount in self.amounts.items():
            text, found = re.subn(rf'(key: {key}, amount: ")[^"]+', rf"\g<1>{amount}", text)
            assert found == 1
        file = read_catalog(text.encode())
        assert isinstance(file, CatalogFile)
        world = self.world
        with world.session() as session:
            done = apply_catalog(session, world.scope, file.catalog, actor="test", now=world.now)
        assert isinstance(done, Applied)

    def propose(self, key: str = GROWTH, new: str = "", days: int = 30, **given) -> Announcement:
        with self.world.session() as session:
            wanted = Migration(key, new or key, timedelta(days=days), **given)
            return propose_migration(session, self.world.scope, wanted, self.world.wall)

    def announce(self, key: str = GROWTH, new: str = "", days: int = 30, **given) -> Announcement:
        with self.world.session() as session:
            wanted = Migration(key, new or key, timedelta(days=days), **given)
            return announce_migration(
                session, self.world.scope, wanted, Doer("cli"), self.world.wall
            )

    def call_off(self, key: str = GROWTH, **given) -> Announcement:
        with self.world.session() as session:
            wanted = Migration(key, key, timedelta(days=30), **given)
            return call_off_migration(
                session, self.world.scope, wanted, Doer("cli"), self.world.wall
            )

    def remind(self) -> None:
        with self.world.session() as session:
            remind_of_prices(session, self.world.scope, self.world.wall)

    def changes(self, actor: Actor) -> list[tuple[str, datetime]]:
        """Status and date of each price change of the account."""
        mine = select(PriceChangeRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            rows = session.scalars(mine.order_by(PriceChangeRow.id)).all()
        return [(row.status, row.effective_at.astimezone(UTC)) for row in rows]

    def told(self, actor: Actor) -> list[dict]:
        """What the account's members were told of prices, oldest first."""
        mine = select(MailRow).where(
            MailRow.account_id == actor.account_id, MailRow.kind.startswith("price_")
        )
        with self.world.session() as session:
            return [row.notice for row in session.scalars(mine.order_by(MailRow.id))]

    def shown(self, actor: Actor) -> tuple[PriceAhead, ...]:
        return prices_ahead(self.world.state(actor))

    def ahead(self, actor: Actor) -> list[tuple[int, datetime]]:
        """What pages show: amounts and dates."""
        found = self.shown(actor)
        return [(each.after.minor, each.change.effective_at) for each in found]

    def bills(self, actor: Actor) -> list[int]:
        """The sums of the next bills, as pages show them."""
        shown = next_bills(self.world.state(actor))
        assert shown is not None
        return [bill.due.charged.minor for bill in shown.ahead]
