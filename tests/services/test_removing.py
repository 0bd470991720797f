"""The staff take an add-on away at once: P5 to P11, as product.md §11 adapts them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, select, text

from portal.domain.errors import Conflict, NotFound
from portal.domain.taxes import NO_TAX, Tax
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.usage import LotRow
from tests.services.changing import APRIL_1, Office
from tests.services.time_passing import run_at

CONNECTOR, PACK, MESSAGES = "salesforce", "messages_100k", "messages_100k_recurring"
APRIL_11 = datetime(2026, 4, 11, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def office(world, till):
    return Office(world, till)


@pytest.fixture
def owner(world_database):
    """Runs SQL as the database's owner, who may change what is issued."""
    engine = create_engine(world_database.owner_url)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    yield run
    engine.dispose()


def connector(world, office, price: str = "20", tax: Tax = NO_TAX, since: datetime = APRIL_1):
    """An account that bought the connector on 1 April at `price`, and now it is the 11th."""
    world.now = since
    actor = world.account(tax=tax, since=since)
    office.reprice("salesforce_monthly_usd", price)
    world.buy(actor, CONNECTOR)
    world.now = APRIL_11
    return actor


def ended(world, desk, actor) -> int:
    """What taking the first instance away brings to the balance."""
    before = desk.balance(actor)[0]
    desk.end(desk.instance(actor).id)
    assert desk.agrees()
    return desk.balance(actor)[0] - before


def test_p5_the_unused_part_of_what_was_billed(world, desk, office):
    actor = connector(world, office)
    assert ended(world, desk, actor) == 1333
    assert desk.lines(1) == [("credit", -1333)]
    assert [note.cause for note in desk.notes(actor)] == ["ended"]


def test_p19_40_of_which_17_of_31_days_are_left(world, desk, office):
    actor = connector(world, office, "40", since=datetime(2024, 3, 1, tzinfo=UTC))
    world.now = datetime(2024, 3, 15, tzinfo=UTC)
    assert ended(world, desk, actor) == 2194


def test_p6_never_todays_price(world, desk, office):
    actor = connector(world, office, "5")
    office.reprice("salesforce_monthly_usd", "20")
    assert ended(world, desk, actor) == 333


def test_p7_less_what_was_credited_before(world, desk, office):
    actor = connector(world, office)
    desk.credit(1, "8")
    assert ended(world, desk, actor) == 1200
    with pytest.raises(Conflict, match="nothing is left"):
        desk.credit(1)


def test_p8_no_stored_line_no_credit(world, desk, office, owner):
    actor = connector(world, office)
    owner("delete from invoice_lines")
    assert (ended(world, desk, actor), desk.notes(actor)) == (0, [])


def test_p9_another_periods_line_is_nothing(world, desk, office):
    actor = connector(world, office, "1", since=datetime(2026, 3, 1, tzinfo=UTC))
    assert (ended(world, desk, actor), desk.notes(actor)) == (0, [])


def test_p10_the_share_of_the_lines_own_period(world, desk, office, owner):
    actor = connector(world, office, "60")
    owner("update invoice_lines set period_start_at = '2026-02-01T00:00:00Z'")
    assert ended(world, desk, actor) == 1348


def test_p11_what_is_charged_once_is_not_taken_away(world, desk):
    actor = world.account()
    world.buy(actor, PACK)
    with pytest.raises(Conflict, match="charged once"):
        desk.end(desk.instance(actor).id)
    assert desk.notes(actor) == []


def test_the_tax_that_stays_is_that_on_what_was_used(world, desk, office):
    actor = connector(world, office, tax=Tax(Decimal(20), False, "VAT"))
    assert ended(world, desk, actor) == 1600
    assert (desk.on("revenue"), desk.on("tax")) == (667, 133)


def test_access_and_renewal_end_at_once_and_nothing_is_billed_again(world, desk, office, till):
    actor = connector(world, office)
    assert till.holds(actor) == [CONNECTOR]
    ended(world, desk, actor)
    assert till.holds(actor) == []
    row = desk.instance(actor)
    assert (row.status, row.cancel_at) == ("ended", APRIL_11)
    run_at(world, MAY_1)
    assert [kind for kind, name, _ in office.bill(actor) if name != "Growth"] == ["balance"]
    assert desk.agrees()


def test_of_a_renewal_only_its_own_line(world, desk, office):
    actor = connector(world, office, "30")
    run_at(world, MAY_1)
    world.now = datetime(2026, 5, 16, 12, tzinfo=UTC)
    assert ended(world, desk, actor) == 1500
    assert desk.lines(1) == [("credit", -1500)]
    assert desk.notes(actor)[0].invoice_id == desk.invoice(actor).id


def test_units_it_brought_end_with_it_and_those_of_a_pack_stay(world, desk, till):
    actor = world.account()
    world.buy(actor, MESSAGES)
    world.buy(actor, PACK)
    assert units(world, actor) == 66667 + 100000
    desk.end(desk.instance(actor).id)
    world.pass_time(seconds=1)
    assert units(world, actor) == 100000
    assert till.books_agree()


def units(world, actor) -> int:
    """What is left of bought messages now."""
    lots = select(LotRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        rows = session.scalars(lots.where(LotRow.instance_id.is_not(None))).all()
        return int(sum(row.remaining for row in rows if row.expires_at > world.now))


def test_an_open_invoice_asks_for_less(world, desk, owner):
    actor = world.account()
    world.buy(actor, CONNECTOR)
    owner("update payment_methods set stripe_payment_method_id = 'pm_card_chargeCustomerFail'")
    run_at(world, MAY_1)
    before = desk.on("receivable")
    desk.end(desk.instance(actor).id)
    assert desk.on("receivable") - before == 5000
    assert (desk.balance(actor), desk.agrees()) == ((0, 0), True)


def test_twice_is_refused_and_credits_once(world, desk, office):
    actor = connector(world, office)
    ended(world, desk, actor)
    with pytest.raises(Conflict, match="it has ended already"):
        desk.end(desk.instance(actor).id)
    assert desk.balance(actor) == (1333, 0)


def test_an_instance_of_nobody_here(desk):
    with pytest.raises(NotFound, match="there is no instance 99"):
        desk.end(99)


def test_it_is_an_event_with_its_actor_and_members_are_told(world, desk, office):
    actor = connector(world, office)
    ended(world, desk, actor)
    with world.session() as session:
        told = session.scalars(select(EventRow).filter_by(name="instance:ended")).one()
        kinds = session.scalars(select(MailRow.kind).order_by(MailRow.id)).all()
    assert (told.actor, told.account_id, told.detail) == (
        "staff:ann", actor.account_id, {"reason": "Asked to."},
    )  # fmt: skip
    assert kinds[-2:] == ["credited", "add_on_ended"]
