"""More units now for one prorated line, fewer at the boundary, nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.money import Money
from portal.domain.quantity_changes import QuantityReason
from portal.models.invoices import InvoiceRow
from portal.queries.billing import next_bills
from portal.queries.quantities import bills_ahead
from portal.services.charging import Settled
from portal.services.quantities import QuantityAgreed
from tests.services.counting import Counter, charged, reason
from tests.services.paying import Till
from tests.services.time_passing import lines, renewals, run_at
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
STORAGE, SEATS, MESSAGES = "storage_100gb", "members_5", "messages_100k_recurring"


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def test_p18_five_to_ten_of_ten_dollars_on_15_march(world, counter):
    world.now = datetime(2024, 3, 1, tzinfo=UTC)
    actor = world.account(since=world.now)
    storage = counter.held(actor, STORAGE, 5)
    world.now = datetime(2024, 3, 15, tzinfo=UTC)
    outcome = counter.change(actor, storage, 10)
    assert isinstance(outcome, Settled)
    assert charged(world) == 2742, "-27.42 + 54.84"
    assert counter.row(storage).quantity == 10
    run_at(world, datetime(2024, 4, 1, tzinfo=UTC))
    assert ("charge", 10, 10_000) in lines(world, renewals(world, actor)[-1])


def test_more_is_there_at_once_and_costs_the_rest_of_the_period(world, till, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 1)
    assert counter.allowance(actor, "members") == 15
    quote = counter.quote(actor, seats, 3)
    assert quote.due.charged == Money(6000, "usd"), "2 × $45 for 20 of 30 days"
    assert isinstance(counter.change(actor, seats, 3), Settled)
    assert (charged(world), counter.allowance(actor, "members")) == (6000, 25)
    assert [i.quantity for i in world.state(actor).held] == [3]
    assert till.books_agree()


def test_units_of_the_window_come_in_proportion_and_then_whole(world, counter):
    actor = world.account()
    pack = counter.held(actor, MESSAGES, 1)
    counter.change(actor, pack, 3)
    assert counter.allowance(actor, "messages") == 100_000 + 66_667 + 133_334
    world.now = MAY_1
    assert counter.allowance(actor, "messages") == 400_000


def test_nothing_opened_before_is_counted_twice(world, counter):
    """In a later window, raised before anybody has looked at it."""
    actor = world.account()
    pack = counter.held(actor, MESSAGES, 1)
    run_at(world, datetime(2026, 5, 16, tzinfo=UTC))
    counter.change(actor, pack, 2)
    assert counter.allowance(actor, "messages") == 200_000 + 51_613, "16 of 31 days"


def test_fewer_waits_for_the_boundary_and_is_read_by_the_clock(world, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 3)
    invoices = world.rows(InvoiceRow)
    outcome = counter.change(actor, seats, 1)
    assert outcome == QuantityAgreed(1, MAY_1)
    assert world.rows(InvoiceRow) == invoices
    world.now = MAY_1 - timedelta(seconds=1)
    assert counter.allowance(actor, "members") == 25
    world.now = MAY_1
    assert counter.allowance(actor, "members") == 15, "no job has run"
    run_at(world, MAY_1 + timedelta(days=40))
    assert [lines(world, bill)[1] for bill in renewals(world, actor)] == [("charge", 1, 4500)] * 2
    row = counter.row(seats)
    assert (row.quantity, row.next_quantity) == (1, None)


def test_bills_before_the_boundary_of_an_annual_add_on_keep_the_old_quantity(world, counter):
    """Run late over a boundary of another instance and the own one: each as on time."""
    actor = world.account(price="growth_annual_usd")
    seats = counter.held(actor, SEATS, 3)
    counter.change(actor, seats, 2)
    run_at(world, datetime(2027, 4, 15, tzinfo=UTC))
    quantities = [q for bill in renewals(world, actor) for _, q, _ in lines(world, bill)]
    assert quantities == [1, 2], "the plan's year, then two seats"
    assert counter.row(seats).quantity == 2


def test_fewer_can_be_taken_back_and_the_newer_word_counts(world, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 3)
    counter.change(actor, seats, 1)
    assert reason(counter.change(actor, seats, 1)) is QuantityReason.SAME
    assert counter.change(actor, seats, 3) == QuantityAgreed(3, APRIL_11)
    assert counter.row(seats).next_quantity is None
    counter.change(actor, seats, 1)
    assert isinstance(counter.change(actor, seats, 4), Settled)
    row = counter.row(seats)
    assert (row.quantity, row.next_quantity, charged(world)) == (4, None, 3000)


def test_the_bills_ahead_are_what_the_renewal_makes(world, counter):
    actor = world.account()
    seats = counter.held(actor, SEATS, 2)
    instance = world.state(actor).held[0]
    for quantity in (1, 5):
        quote = counter.quote(actor, seats, quantity)
        promised = bills_ahead(world.state(actor), instance, quote)
        counter.change(actor, seats, quantity)
        found = next_bills(world.state(actor))
        assert found is not None
        assert found.ahead == promised
