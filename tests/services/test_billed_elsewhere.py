"""A period paid for outside the portal: an upgrade credits what is unused of it, once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.domain.access import Actor, Role
from portal.domain.lines import LineKind
from portal.domain.taxes import NO_TAX, Tax
from portal.models.accounts import PersonRow
from portal.services import accounts
from portal.services.accounts import NewAccount
from portal.services.beginnings import Beginning, Elsewhere
from portal.services.host_accounts import Owner, Put, Wanted, put
from portal.services.renewing import run_due
from tests.services.changing import Office
from tests.services.paying import Till

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def come(world):
    """Somebody who paid for April elsewhere, and has a card now."""

    def come(amount="99.00", tax=NO_TAX, plan="growth", since=MARCH_1):
        elsewhere = Elsewhere(since, Decimal(amount))
        wanted = Wanted(
            NewAccount("mover", "Mover", "usd", "UTC", tax),
            Owner("owner@mover.test", "Mo"),
            Beginning(plan, f"{plan}_monthly_usd", elsewhere),
        )
        with world.session() as session:
            done = put(session, world.scope, wanted, "key:x", world.wall)
        assert isinstance(done, Put), done
        return _with_a_card(world, done.account_id)

    return come


def _with_a_card(world, account_id):
    mail = "owner@mover.test"
    with world.session() as session:
        accounts.ensure_customer(session, world.scope, account_id, mail, world.gateway)
        accounts.save_card(
            session, world.scope, account_id, "pm_card_visa", world.gateway, world.wall
        )
        person = session.scalars(select(PersonRow.id).where(PersonRow.email == mail)).one()
    return Actor(person, account_id, world.scope, Role.OWNER)


def credits_of(quote):
    return [
        (line.name, line.amount.minor, line.period.start, line.period.end)
        for line in quote.lines
        if line.kind is LineKind.CREDIT
    ]


def test_nothing_is_billed_for_the_period_and_the_next_one_is(world, come):
    actor = come()
    state = world.state(actor)
    assert state.subscription.billed_until == MAY_1
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert world.gateway.taken == []
    world.now = MAY_1
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert [taken.amount.minor for taken in world.gateway.taken] == [9900]


def test_an_upgrade_credits_the_unused_part_of_it(world, come):
    actor, office = come(), Office(world, Till(world))
    quote = office.quote(actor, "business")
    assert credits_of(quote) == [("Growth", -6600, world.now, MAY_1)]


def test_the_credit_is_of_what_was_paid_and_not_of_the_price(world, come):
    quote = Office(world, Till(world)).quote(come("30.00"), "business")
    assert [minor for _, minor, _, _ in credits_of(quote)] == [-2000]


def test_nothing_paid_gives_nothing(world, come):
    assert credits_of(Office(world, Till(world)).quote(come("0"), "business")) == []


def test_its_tax_goes_back_with_it(world, come):
    quote = Office(world, Till(world)).quote(come(tax=Tax(Decimal(20), False, "VAT")), "business")
    taxes = [line.amount.minor for line in quote.lines if line.kind is LineKind.TAX]
    assert taxes[0] == -1320


def test_it_is_given_back_once(world, come):
    actor, till = come(), Till(world)
    office = Office(world, till)
    office.change(actor, "business")
    world.pass_time(days=10)
    again = office.quote(actor, "enterprise")
    assert {name for name, _, _, _ in credits_of(again)} == {"Business"}
    assert till.books_agree()


def test_after_the_period_nothing_is_left_of_it(world, come):
    actor = come()
    world.now = MAY_1
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    world.pass_time(days=15.5)
    given = credits_of(Office(world, Till(world)).quote(actor, "business"))
    assert [minor for _, minor, _, _ in given] == [-4950]


def test_periods_are_counted_from_when_the_plan_began(world, come):
    world.now = datetime(2026, 4, 15, tzinfo=UTC)
    actor = come(since=datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert world.state(actor).subscription.billed_until == datetime(2026, 4, 30, 12, tzinfo=UTC)
