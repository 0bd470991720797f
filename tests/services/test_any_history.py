"""Any history of buying, changing plans, declining, crashing and time: what must always hold."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant
from sqlalchemy import func, select

from portal.domain.events import EventName
from portal.models.events import EventRow
from portal.models.invoices import CollectionRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import RefundRow
from portal.services.verifying_usage import verify_usage
from tests.services.beyond import Meterage
from tests.services.by_use import by_use, sell
from tests.services.living import ONCE, SHOPS
from tests.services.living_use import Using
from tests.services.spans import alone, billed, gaps, given_back, sold, spans, units_at
from tests.support.database import clone
from tests.support.world import World

HISTORIES = int(os.environ.get("HISTORIES", "12"))
"""Asked for by number they are other ones each time, or those of `--hypothesis-seed`."""


@pytest.fixture(scope="module", autouse=True)
def shop(demo_template: str) -> Iterator[World]:
    """One database for all histories; each is an account of its own."""
    with clone(demo_template) as database:
        world = World(database.app_url)
        sell(meterage := Meterage(world), by_use(meterage, fixed="5.00"))
        SHOPS.append(world)
        yield world
        with world.session() as session:
            names = set(session.scalars(select(EventRow.name)))
        assert {EventName.QUANTITY_RAISED, EventName.QUANTITY_AGREED} <= names, "nothing was shown"
        SHOPS.remove(world)
        world.engine.dispose()


class History(Using):
    @invariant()
    def the_books_agree(self) -> None:
        assert self.till.books_agree()

    @invariant()
    def access_never_ends_before_it_is_paid_through(self) -> None:
        state = self.world.state(self.actor)
        for each in state.instances:
            if each.status == "active" and each.billed_until and each.billed_until > state.now:
                assert each.span.stops_at is None or each.span.stops_at >= each.billed_until

    @invariant()
    def a_onetime_add_on_is_held_at_most_once(self) -> None:
        held = [i.add_on.lookup_key for i in self._held()]
        assert all(held.count(once) <= 1 for once in ONCE)

    @invariant()
    def periods_tile_and_each_is_billed_once(self) -> None:
        """What one line ends with, less what was given back, the next of the same begins with."""
        suspended = self.world.rows(
            EventRow, account_id=self.actor.account_id, name=EventName.SUBSCRIPTION_SUSPENDED
        )
        with self.world.session() as session:
            found = billed(session, self.actor.account_id)
        state = self.world.state(self.actor)
        until = {each.id: each.billed_until for each in state.instances}
        until[None] = state.subscription.billed_until
        for thing, lines in found.items():
            tiles = spans(lines)
            assert all(suspended and ended < began for ended, began in gaps(tiles)), tiles
            assert not tiles or tiles[-1].end == until[thing]

    @invariant()
    def units_are_billed_as_many_as_there_are_and_added_ones_as_long_as_the_rest(self) -> None:
        with self.world.session() as session:
            found = billed(session, self.actor.account_id)
        state = self.world.state(self.actor)
        for each in state.held:
            began = each.span.starts_at <= state.now
            if began and each.billed_until is not None and state.now < each.billed_until:
                assert units_at(found[each.id], state.now) == each.quantity
        assert all(not alone(lines) for lines in found.values())

    @invariant()
    def no_line_gives_back_more_than_it_took(self) -> None:
        with self.world.session() as session:
            for took, back in given_back(session, self.actor.account_id):
                assert 0 < back <= took

    @invariant()
    def a_sale_is_invoiced_line_by_line_as_it_was_shown(self) -> None:
        with self.world.session() as session:
            for quoted, invoiced in sold(session, self.actor.account_id):
                assert quoted == invoiced

    @invariant()
    def an_invoice_is_the_sum_of_its_lines(self) -> None:
        with self.world.session() as session:
            summed = select(func.sum(InvoiceLineRow.amount_minor)).where(
                InvoiceLineRow.invoice_id == InvoiceRow.id, ~InvoiceLineRow.included
            )
            mine = InvoiceRow.account_id == self.actor.account_id
            for row, total in session.execute(
                select(InvoiceRow, summed.scalar_subquery()).where(mine)
            ):
                assert row.charged_minor + row.carried_out_minor - row.credited_minor == total

    def teardown(self) -> None:
        """In the end all money taken is for something given, or has gone back."""
        if not hasattr(self, "office"):
            return
        self.till.gateway._faults.clear()
        self.world.pass_time(minutes=40)
        self.till.reconcile()
        self.till.reconcile()
        taken = sum(
            asked.amount.minor
            for asked in self.till.gateway.taken
            if asked.labels["account_id"] == str(self.actor.account_id)
        )
        assert taken == self._paid() + self._refunded()
        with self.world.session() as session:
            assert verify_usage(session, self.world.scope) == []
        assert self.till.books_agree()

    def _paid(self) -> int:
        """What issued invoices say was paid by card."""
        with self.world.session() as session:
            rows = session.execute(
                select(InvoiceRow, CollectionRow)
                .outerjoin(CollectionRow, CollectionRow.invoice_id == InvoiceRow.id)
                .where(InvoiceRow.account_id == self.actor.account_id)
            )
            return sum(
                invoice.charged_minor
                for invoice, standing in rows
                if standing is None or standing.status == "paid"
            )

    def _refunded(self) -> int:
        """Late money; what a credit note gives back was paid, and its invoice says so still."""
        late = select(func.sum(RefundRow.amount_minor)).where(
            RefundRow.account_id == self.actor.account_id, RefundRow.credit_note_id.is_(None)
        )
        with self.world.session() as session:
            return session.scalar(late) or 0


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    derandomize="HISTORIES" not in os.environ,
    phases=(Phase.explicit, Phase.generate),  # to make a history shorter takes many minutes
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
