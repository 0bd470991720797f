"""Any order of leaving, staying and coming back: what was paid works, nothing is billed past it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from sqlalchemy import func, select

from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.instances import HELD_PHASES
from portal.models.accounts import AccountRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.cancelling import get_ending
from portal.services import clock
from portal.services.recording import Doer
from portal.services.till import Till as Desk
from tests.services.changing import ANNUAL, MONTHLY, Office
from tests.services.leaving import (
    cancel_add_on,
    cancel_plan,
    instance_rows,
    keep_add_on,
    keep_plan,
    monthly_only,
)
from tests.services.living_between import Between
from tests.services.paying import Till
from tests.services.time_passing import subscription
from tests.support.database import clone
from tests.support.world import World

ADD_ONS = ("salesforce", "members_5", "storage_100gb", "messages_10k", "sms_10k")
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail")
SHOPS: list[World] = []


@pytest.fixture(scope="module", autouse=True)
def shop(demo_template: str) -> Iterator[World]:
    with clone(demo_template) as database:
        world = World(database.app_url)
        monthly_only(world, "members_5")
        SHOPS.append(world)
        yield world
        with world.session() as session:
            of = SubscriptionRow.account_id
            back = session.scalars(select(of).group_by(of).having(func.count() > 1)).all()
        assert back, "nobody came back"
        SHOPS.remove(world)
        world.engine.dispose()


class Leaving(Between):
    @initialize(card=st.sampled_from(CARDS), day=st.integers(1, 10), yearly=st.booleans())
    def begin(self, card: str, day: int, yearly: bool) -> None:
        self.world, self.promised = SHOPS[0], dict[int, datetime]()
        self.till = Till(self.world)
        self.office = Office(self.world, self.till)
        price = "growth_annual_usd" if yearly else "growth_monthly_usd"
        since = datetime(2026, 4, day, tzinfo=UTC)
        self.actor = self.world.account(card=card, since=since, price=price)

    @rule(add_on=st.sampled_from(ADD_ONS), renew=st.booleans())
    def buy(self, add_on: str, renew: bool) -> None:
        with suppress(Conflict, NotFound, PaymentsUnavailable):
            self.world.buy(self.actor, add_on, 1, renew)

    @rule(plan=st.sampled_from(("starter", "growth", "business")), yearly=st.booleans())
    def change_plan_or_come_back(self, plan: str, yearly: bool) -> None:
        with suppress(Conflict, NotFound, PaymentsUnavailable, ValueError):
            self.office.change(self.actor, plan, ANNUAL if yearly else MONTHLY)

    @rule()
    def cancel_the_plan(self) -> None:
        with suppress(NotFound):
            state = self.world.state(self.actor)
            said = get_ending(state).ends_at
            assert cancel_plan(self.world, self.actor) == said
            assert self.world.state(self.actor).subscription is None or said >= state.now

    @rule(plan=st.sampled_from(("starter", "growth")), days=st.integers(0, 40))
    def leave_and_come_back(self, plan: str, days: int) -> None:
        self.cancel_the_plan()
        state = self.world.state(self.actor)
        if state.subscription is not None and state.subscription.ends_at is not None:
            left = state.subscription.ends_at - state.now
            self.time_passes(left.days + 1 + days, 0)
        self.change_plan_or_come_back(plan, yearly=False)

    @rule()
    def keep_the_plan(self) -> None:
        taken = self.till.taken()
        with suppress(NotFound):
            keep_plan(self.world, self.actor)
        assert self.till.taken() == taken

    @rule(position=st.integers(0, 4), keep=st.booleans())
    def cancel_or_keep_an_add_on(self, position: int, keep: bool) -> None:
        held = [i for i in self.world.state(self.actor).held if i.price.is_recurring]
        if held:
            with suppress(Conflict):
                act = keep_add_on if keep else cancel_add_on
                act(self.world, self.actor, held[position % len(held)].id)

    @rule(days=st.integers(1, 45), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        world = self.world
        to = world.state(self.actor).now + timedelta(days=days, hours=hours)
        with world.session() as session:
            desk = Desk(session, world.gateway, world.scope, world.wall, Doer("test"))
            clock.advance(desk, self.actor.account_id, to)

    @rule(days=st.integers(1, 20))
    def time_passes_and_nothing_runs(self, days: int) -> None:
        to = self.world.state(self.actor).now + timedelta(days=days)
        with self.world.session() as session:
            key = (self.world.scope.environment_id, self.actor.account_id)
            session.get_one(AccountRow, key).test_clock_at = to
            session.commit()

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "till"):
            assert self.till.books_agree()

    @invariant()
    def what_was_paid_works_to_its_end(self) -> None:
        if not hasattr(self, "actor"):
            return
        state = self.world.state(self.actor)
        for instance in state.instances:
            paid = self._paid_until().get(instance.id)
            if paid is None or paid <= state.now or instance.status != "active":
                continue
            assert instance.phase in HELD_PHASES
            assert instance.span.stops_at is None or instance.span.stops_at >= paid

    @invariant()
    def nothing_is_billed_past_the_end(self) -> None:
        if not hasattr(self, "actor"):
            return
        row = subscription(self.world, self.actor)
        if row.ended_at is None:
            return
        with self.world.session() as session:
            mine = InvoiceRow.account_id == self.actor.account_id
            ends = session.scalars(
                select(func.max(InvoiceLineRow.period_end_at))
                .join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
                .where(mine, InvoiceLineRow.kind == "charge")
                .where(InvoiceLineRow.credited_line_id.is_(None))
            ).one()
            late = session.scalars(
                select(InvoiceRow.id).where(mine, InvoiceRow.due_at > row.ended_at)
            ).all()
        assert late == []
        assert ends is None or ends <= row.ended_at or self._was_credited(ends)
        stops = [min(e for e in (r.ends_at, r.cancel_at) if e) for r in self._given()]
        assert all(stop <= row.ended_at for stop in stops)

    @invariant()
    def what_ended_with_a_plan_stays_ended(self) -> None:
        """Neither held, nor billed for any time after."""
        if not hasattr(self, "actor"):
            return
        held = {i.id for i in self.world.state(self.actor).held}
        line, of = InvoiceLineRow, InstanceRow
        with self.world.session() as session:
            ended = select(of.id, SubscriptionRow.ended_at).join(
                SubscriptionRow, SubscriptionRow.id == of.subscription_id
            )
            mine = of.account_id == self.actor.account_id
            for instance_id, at in session.execute(
                ended.where(mine, SubscriptionRow.ended_at.is_not(None))
            ).all():
                assert instance_id not in held
                later = select(line.id).where(
                    line.instance_id == instance_id, line.period_start_at >= at
                )
                assert session.scalars(later).all() == []

    def _given(self) -> list:
        return [r for r in instance_rows(self.world, self.actor) if r.status == "active"]

    def _was_credited(self, end: datetime) -> bool:
        """Whether what was billed up to `end` was given back by a change of plan."""
        with self.world.session() as session:
            line = InvoiceLineRow
            mine = InvoiceRow.account_id == self.actor.account_id
            found = session.scalars(
                select(line.id)
                .join(InvoiceRow, InvoiceRow.id == line.invoice_id)
                .where(mine, line.kind == "charge", line.period_end_at == end)
            ).all()
            back = session.scalars(select(line.credited_line_id)).all()
        return bool(found) and set(found) <= set(back)

    def _paid_until(self) -> dict[int, datetime]:
        """Until when each instance was charged for, by the lines of what was issued."""
        with self.world.session() as session:
            rows = session.execute(
                select(
                    func.coalesce(InvoiceLineRow.instance_id, PurchaseRow.instance_id),
                    func.max(InvoiceLineRow.period_end_at),
                )
                .join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
                .outerjoin(PurchaseRow, PurchaseRow.id == InvoiceRow.purchase_id)
                .where(InvoiceRow.account_id == self.actor.account_id)
                .where(InvoiceLineRow.kind == "charge")
                .group_by(func.coalesce(InvoiceLineRow.instance_id, PurchaseRow.instance_id))
            )
            return {key: until for key, until in rows if key is not None and until is not None}


TestAnyLeaving = Leaving.TestCase
TestAnyLeaving.settings = settings(
    max_examples=16,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
