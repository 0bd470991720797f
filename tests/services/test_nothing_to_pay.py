"""What comes to 0.00 is unlocked and told like any purchase, and has no invoice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.events import EventName
from portal.domain.quotes import Start
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import TransferRow
from portal.services import withdrawing
from portal.services.charging import Settled
from tests.services.changing import Office
from tests.services.counting import Counter
from tests.services.leaving import carry, told
from tests.services.paying import Till
from tests.services.test_purchases import give_balance
from tests.services.time_passing import run_at
from tests.support.world import APRIL_11, World

LAST_SECOND = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
SEATS = "members_5"


@pytest.fixture
def world(shop: World) -> World:
    shop.now = LAST_SECOND
    return shop


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


@pytest.fixture
def office(world: World, till: Till) -> Office:
    return Office(world, till)


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


@pytest.fixture
def actor(office: Office) -> Actor:
    return office.account()


class Written:
    """What a purchase may not add: invoices, transfers, charges."""

    def __init__(self, world: World) -> None:
        self.world, self.before = world, self._rows(world)

    def nothing(self) -> bool:
        return self._rows(self.world) == self.before

    def _rows(self, world: World) -> tuple[int, ...]:
        return world.rows(InvoiceRow), world.rows(TransferRow), len(world.gateway.taken)


def happened(world: World, purchase_id: int) -> list[str]:
    with world.session() as session:
        mine = select(EventRow.name).filter_by(subject=f"purchase:{purchase_id}")
        return list(session.scalars(mine.order_by(EventRow.id)))


def numbers(world: World) -> list[int]:
    with world.session() as session:
        return list(session.scalars(select(InvoiceRow.number).order_by(InvoiceRow.number)))


@pytest.mark.parametrize(
    "tax", [None, Tax(Decimal(20), label="VAT"), Tax(Decimal(20), True, "VAT")]
)
def test_an_add_on_of_the_last_second_has_no_invoice(world, till, office, tax):
    actor = office.account(tax=tax) if tax else office.account()
    written = Written(world)
    outcome = world.buy(actor, "salesforce")
    assert isinstance(outcome, Settled)
    assert written.nothing()
    assert till.holds(actor) == ["salesforce"]
    assert happened(world, outcome.purchase_id) == [
        EventName.PURCHASE_RESERVED, EventName.PURCHASE_SETTLED,
    ]  # fmt: skip
    assert till.books_agree()


def test_its_mail_has_no_document_and_names_what_it_came_to(world, actor):
    world.buy(actor, "salesforce")
    [notice] = told(world, actor, "purchased")
    assert notice["invoice"] is None
    [sold] = notice["sold"]
    assert (sold["name"], sold["amount"]["minor"]) == ("Salesforce connector", 0)


def test_more_units_of_the_last_second_are_there_without_an_invoice(world, till, counter, actor):
    seats = counter.held(actor, SEATS, 1)
    written = Written(world)
    assert isinstance(counter.change(actor, seats, 3), Settled)
    assert written.nothing()
    assert counter.allowance(actor, "members") == 25
    sold = told(world, actor, "purchased")[-1]["sold"]
    assert [(each["quantity"], each["amount"]["minor"]) for each in sold] == [(2, 0)]
    run_at(world, MAY_1)
    assert counter.row(seats).quantity == 3
    assert till.books_agree()


def test_a_plan_of_the_last_second_changes_without_an_invoice(world, till, office, actor):
    written = Written(world)
    assert isinstance(office.change(actor, "business"), Settled)
    assert written.nothing()
    assert office.plan(actor)[:2] == ("business", "business_monthly_usd")
    assert told(world, actor, "plan_changed")[-1]["charged"] is None
    run_at(world, MAY_1)
    assert office.bill(actor)[0][2] == office_price(world), "the new plan's first whole month"
    assert till.books_agree()


def office_price(world: World) -> int:
    plan = next(p for p in world.catalog().plans if p.lookup_key == "business")
    price = next(p for p in plan.prices if p.lookup_key == "business_monthly_usd")
    return int(price.amount * 100)


def test_numbers_of_invoices_have_no_gap_where_nothing_was_to_pay(world, actor):
    before = numbers(world)
    world.buy(actor, "salesforce")
    world.now = MAY_1
    run_at(world, MAY_1)
    world.buy(actor, "zendesk")
    assert numbers(world) == [*before, len(before) + 1, len(before) + 2]


def test_a_pack_that_is_free_can_wait_for_the_next_cycle_and_be_taken_back(world, till, actor):
    world.now = APRIL_11
    Office(world, till).reprice("messages_10k_usd", "0")
    written = Written(world)
    outcome = world.buy(actor, "messages_10k", start=Start.NEXT_CYCLE)
    assert isinstance(outcome, Settled)
    [ahead] = world.state(actor).instances
    with world.session() as session:
        withdrawing.withdraw(
            actor, ahead.id, session=session, gateway=world.gateway, wall=world.wall
        )
    assert written.nothing()
    assert till.books_agree()


def test_cents_of_before_wait_where_nothing_is_owed(world, till, actor):
    carry(world, actor, 60)
    written = Written(world)
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    assert written.nothing()
    assert world.state(actor).carried.minor == 60
    run_at(world, MAY_1)
    assert world.gateway.taken[-1].amount.minor == 9900 + 5000 + 60
    assert till.books_agree()


def test_a_charge_that_the_balance_pays_keeps_its_invoice(world, till):
    world.now = APRIL_11
    actor = world.account()
    give_balance(world, actor, 6_000)
    before = numbers(world)
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    assert numbers(world) == [*before, len(before) + 1]
    assert till.books_agree()


def test_a_credit_as_large_as_the_charge_keeps_its_invoice(world, till, office):
    actor = office.account()
    world.now = APRIL_11
    office.reprice("business_monthly_usd", "99")
    before = numbers(world)
    assert isinstance(office.change(actor, "business"), Settled)
    assert numbers(world) == [*before, len(before) + 1]
    assert [minor for _, _, minor in office.bill(actor)] == [-6600, 6600]
    assert till.books_agree()


def test_a_fraction_that_rounds_to_nothing_is_no_invoice_in_yen_either(world, till, office):
    actor = office.account(price="growth_monthly_jpy", currency="jpy")
    zone = update(AccountRow).where(AccountRow.id == actor.account_id)
    world.change(zone.values(zone="Asia/Tokyo"))
    world.now = datetime(2026, 4, 30, 23, 58, tzinfo=UTC)
    written = Written(world)
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    assert written.nothing()
    assert till.holds(actor) == ["salesforce"]
