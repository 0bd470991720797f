"""Any history of buying, stopping, keeping, declining, crashing and time: what must always hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from portal.domain.errors import Conflict, PaymentsUnavailable
from portal.gateways.fake_payments import Fault
from portal.models.invoices import CollectionRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow, RefundRow
from portal.queries.subscriptions import Instance
from portal.services import accounts, charging, clock, instances, invoice_payments
from portal.services.charging import NeedsCheckout
from portal.services.recording import Doer
from portal.services.till import Till as Desk
from tests.services.paying import Till
from tests.support.database import clone
from tests.support.world import World, paying

ADD_ONS = ("salesforce", "zendesk", "storage_100gb", "members_5", "messages_10k", "onboarding")
CARDS = ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired")
METHODS = ("charge", "open_checkout", "refund")
FAULTS = (Fault.ANSWER_LOST, Fault.ERROR_KEPT, Fault.OUTAGE)
SHOPS: list[World] = []


@pytest.fixture(scope="module", autouse=True)
def shop(demo_template: str) -> Iterator[World]:
    """One database for all histories; each is an account of its own."""
    with clone(demo_template) as database:
        world = World(database.app_url)
        SHOPS.append(world)
        yield world
        SHOPS.remove(world)
        world.engine.dispose()


class Crash(BaseException):
    """The process dies."""


class History(RuleBasedStateMachine):
    @initialize(card=st.sampled_from((*CARDS, None)))
    def begin(self, card: str | None) -> None:
        self.world = SHOPS[0]
        self.till = Till(self.world)
        self.actor = self.world.account(card=card)

    @rule(add_on=st.sampled_from(ADD_ONS), quantity=st.integers(1, 3), renew=st.booleans())
    def buy(self, add_on: str, quantity: int, renew: bool) -> None:
        quantity = 1 if add_on in ("salesforce", "zendesk", "onboarding") else quantity
        with suppress(Conflict, PaymentsUnavailable):
            self.world.buy(self.actor, add_on, quantity, renew)

    @rule(card=st.sampled_from(("visa", "visa_chargeDeclined", "mastercard")), go=st.booleans())
    def pay_at_the_checkout(self, card: str, go: bool) -> None:
        for purchase in self._reserved():
            outcome = self.till.finish(self.actor, purchase)
            if isinstance(outcome, NeedsCheckout):
                if go:
                    self.till.gateway.pay_page(self.till.page(purchase), card)
                self.till.finish(self.actor, purchase)

    @rule(choice=st.sampled_from(("default", "new")))
    def pay_another_way(self, choice: str) -> None:
        for purchase in self._reserved():
            with suppress(PaymentsUnavailable):
                self.till.pay(self.actor, purchase, choice)

    @rule()
    def stop(self) -> None:
        for purchase in self._reserved():
            with suppress(PaymentsUnavailable):
                self.till.stop(self.actor, purchase)

    @rule(position=st.integers(0, 5), keep=st.booleans())
    def cancel_or_keep(self, position: int, keep: bool) -> None:
        held = [i for i in self._held() if i.price.is_recurring]
        if not held:
            return
        act = instances.keep if keep else instances.cancel
        more = () if keep else ("",)
        with self.world.session() as session, suppress(Conflict):
            chosen = held[position % len(held)].id
            act(self.actor, chosen, *more, session=session, wall=self.world.wall)

    @rule(card=st.sampled_from(CARDS))
    def another_card(self, card: str) -> None:
        with self.world.session() as session:
            accounts.save_card(
                session, self.world.scope, self.actor.account_id, card, self.world.gateway,
                self.world.wall,
            )  # fmt: skip

    @rule()
    def pay_what_is_open(self) -> None:
        for invoice in self._open_invoices():
            with self.world.session() as session, suppress(PaymentsUnavailable):
                invoice_payments.pay(
                    self.actor, invoice, paying(),
                    session=session, gateway=self.world.gateway, wall=self.world.wall,
                )  # fmt: skip

    @rule(
        method=st.sampled_from(("charge", "open_checkout", "refund")), fault=st.sampled_from(FAULTS)
    )
    def something_will_fail(self, method: str, fault: Fault) -> None:
        self.till.gateway.fail_next(method, fault)

    @rule(days=st.integers(1, 40), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        to = self.world.state(self.actor).now + timedelta(days=days, hours=hours)
        with self.world.session() as session:
            clock.advance(self._desk(session), self.actor.account_id, to)

    @rule(days=st.integers(1, 40))
    def time_passes_and_the_process_dies(self, days: int) -> None:
        asked, alive = charging.ask, [2]

        def dying(*args, **kwargs):
            alive[0] -= 1
            if alive[0] <= 0:
                raise Crash
            return asked(*args, **kwargs)

        to = self.world.state(self.actor).now + timedelta(days=days)
        charging.ask = dying
        try:
            with self.world.session() as session, suppress(Crash):
                clock.advance(self._desk(session), self.actor.account_id, to)
        finally:
            charging.ask = asked

    @precondition(lambda self: hasattr(self, "world"))
    @rule()
    def everything_is_picked_up(self) -> None:
        self.world.pass_time(minutes=40)
        self.till.reconcile()
        self.till.reconcile()

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "world"):
            assert self.till.books_agree()

    @invariant()
    def access_never_ends_before_it_is_paid_through(self) -> None:
        if not hasattr(self, "world"):
            return
        now = self.world.state(self.actor).now
        for instance in self.world.state(self.actor).instances:
            if (
                instance.status == "active"
                and instance.billed_until
                and instance.billed_until > now
            ):
                assert instance.span.stops_at is None or (
                    instance.span.stops_at >= instance.billed_until
                )

    @invariant()
    def a_onetime_add_on_is_held_at_most_once(self) -> None:
        if hasattr(self, "world"):
            held = [i.add_on.lookup_key for i in self._held()]
            for once in ("salesforce", "zendesk", "onboarding"):
                assert held.count(once) <= 1

    @invariant()
    def periods_tile_and_each_is_billed_once(self) -> None:
        """What one invoice line ends with, the next of the same thing begins with."""
        if not hasattr(self, "world"):
            return
        by_thing: dict[object, list[tuple[object, object]]] = {}
        for line, invoice in self._renewal_lines():
            spans = by_thing.setdefault(line.instance_id, [])
            spans.append((line.period_start_at, line.period_end_at))
            assert invoice.due_at == line.period_start_at
        for spans in by_thing.values():
            for (_, ended), (began, _) in pairwise(spans):
                assert ended <= began, "billed twice"

    @invariant()
    def an_invoice_is_the_sum_of_its_lines(self) -> None:
        if not hasattr(self, "world"):
            return
        with self.world.session() as session:
            summed = select(func.sum(InvoiceLineRow.amount_minor)).where(
                InvoiceLineRow.invoice_id == InvoiceRow.id, ~InvoiceLineRow.included
            )
            mine = InvoiceRow.account_id == self.actor.account_id
            for row, total in session.execute(
                select(InvoiceRow, summed.scalar_subquery()).where(mine)
            ):
                assert row.charged_minor + row.carried_out_minor == total

    def teardown(self) -> None:
        """In the end all money taken is for something given, or has gone back."""
        if not hasattr(self, "world"):
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
        with self.world.session() as session:
            mine = RefundRow.account_id == self.actor.account_id
            return session.scalar(select(func.sum(RefundRow.amount_minor)).where(mine)) or 0

    def _desk(self, session) -> Desk:
        world = self.world
        return Desk(session, world.gateway, world.scope, world.wall, Doer("test"))

    def _held(self) -> tuple[Instance, ...]:
        return self.world.state(self.actor).held

    def _reserved(self) -> list[int]:
        with self.world.session() as session:
            mine = select(PurchaseRow.id).filter_by(
                account_id=self.actor.account_id, status="reserved"
            )
            return list(session.scalars(mine))

    def _open_invoices(self) -> list[int]:
        with self.world.session() as session:
            mine = select(CollectionRow.invoice_id).filter_by(
                account_id=self.actor.account_id, status="open"
            )
            return list(session.scalars(mine))

    def _renewal_lines(self) -> list[tuple[InvoiceLineRow, InvoiceRow]]:
        with self.world.session() as session:
            rows = session.execute(
                select(InvoiceLineRow, InvoiceRow)
                .join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
                .where(
                    InvoiceRow.account_id == self.actor.account_id,
                    InvoiceRow.due_at.is_not(None),
                    InvoiceLineRow.kind == "charge",
                )
                .order_by(InvoiceRow.due_at, InvoiceLineRow.position)
            )
            return [(line, invoice) for line, invoice in rows]


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
