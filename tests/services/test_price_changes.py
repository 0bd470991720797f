"""Holders of an old price are told, and moved to the new one at a boundary of their own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow, MembershipRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.price_changes import PriceChangeRow
from tests.services.changing import Office
from tests.services.repricing import GROWTH, SALESFORCE
from tests.services.time_passing import run_at

MAY_1, JUNE_1 = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
JULY_1, AUGUST_1 = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def growth(office):
    return office.account()


def test_the_new_price_comes_with_the_first_boundary_after_the_notice(growth, operator, office):
    operator.sell(growth_monthly_usd="119.00")
    [holder] = operator.announce().moved
    assert holder.ahead.change.effective_at == JUNE_1  # 30 days from 11 April are 11 May
    assert operator.bills(growth) == [9900, 11900]
    assert [office.plan(growth)[1], office.till.taken()] == [GROWTH, [9900]]
    for at in (MAY_1, JUNE_1, JULY_1):
        run_at(operator.world, at)
    assert office.till.taken() == [9900, 9900, 11900, 11900]
    assert operator.changes(growth) == [("applied", JUNE_1)]
    assert operator.ahead(growth) == []
    assert office.till.books_agree()


def test_an_annual_plan_keeps_its_price_to_the_end_of_the_term(office, operator, world):
    actor = office.account(price="growth_annual_usd")
    operator.sell(growth_annual_usd="1000.00")
    operator.announce("growth_annual_usd")
    assert operator.ahead(actor) == [(100000, datetime(2027, 4, 1, tzinfo=UTC))]


def test_an_add_on_moves_at_its_own_boundary_for_all_its_units(growth, operator, world, office):
    world.buy(growth, "members_5", 3)
    operator.sell(members_5_monthly_usd="50.00")
    [holder] = operator.announce("members_5_monthly_usd").moved
    assert (holder.ahead.quantity, holder.ahead.before.minor) == (3, 13500)
    assert operator.ahead(growth) == [(15000, JUNE_1)]
    run_at(world, MAY_1)
    run_at(world, JUNE_1)
    assert office.bill(growth) == [("charge", "Growth", 9900), ("charge", "5 extra members", 15000)]


@pytest.mark.parametrize("late", [False, True])
def test_a_year_costs_so_many_old_and_so_many_new_months(growth, operator, office, world, late):
    world.buy(growth, "salesforce")
    taken = len(office.till.taken())
    operator.sell(growth_monthly_usd="119.00", salesforce_monthly_usd="60.00")
    operator.announce(days=60)  # until 10 June: from 1 July on
    operator.announce(SALESFORCE)  # until 11 May: from 1 June on
    for month in range(17 if late else 5, 18):
        year, number = divmod(month - 1, 12)
        run_at(world, datetime(2026 + year, number + 1, 1, tzinfo=UTC))
    assert office.till.taken()[taken:] == [14900, 15900, *[17900] * 11]
    assert sum(office.till.taken()[taken:][:12]) == 2 * 9900 + 10 * 11900 + 5000 + 11 * 6000
    assert office.plan(growth)[2] == datetime(2027, 6, 1, tzinfo=UTC)
    assert office.till.books_agree()


def test_running_weeks_late_gives_the_bills_of_running_on_time(growth, operator, office):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    run_at(operator.world, datetime(2026, 7, 20, tzinfo=UTC))
    assert office.till.taken() == [9900, 9900, 11900, 11900]
    assert operator.changes(growth) == [("applied", JUNE_1)]


def test_who_buys_at_the_new_price_is_left_alone(growth, operator, office, world):
    operator.sell(growth_monthly_usd="119.00", salesforce_monthly_usd="60.00")
    later = office.account()
    world.buy(growth, "salesforce")
    moved = operator.announce().moved
    assert [holder.account_id for holder in moved] == [growth.account_id]
    assert operator.announce(SALESFORCE).moved == ()
    assert operator.changes(later) == []


def test_printing_writes_nothing_and_a_second_call_moves_nobody(growth, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    assert len(operator.propose().moved) == 1
    assert world.rows(PriceChangeRow) == world.rows(MailRow, kind="price_changing") == 0
    operator.announce()
    again = operator.announce()
    assert (again.moved, len(again.waiting)) == ((), 1)
    world.pass_time(days=10)
    assert operator.announce().moved == ()
    assert world.rows(PriceChangeRow) == len(operator.told(growth)) == 1


def test_named_accounts_only(growth, operator, office, world):
    other = office.account()
    operator.sell(growth_monthly_usd="119.00")
    operator.announce(accounts=(f"account{world.key_of(other)}",))
    assert (operator.changes(growth), operator.changes(other)) == ([], [("scheduled", JUNE_1)])


def test_members_who_may_act_are_told_with_the_tax_that_they_will_pay(operator, office, world):
    actor = office.account(tax=Tax(20, label="VAT"))
    world.member(actor.account_id, "member@account1.test", Role.MEMBER)
    world.member(actor.account_id, "billing@account1.test", Role.BILLING)
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    with world.session() as session:
        mails = session.scalars(select(MailRow).filter_by(kind="price_changing")).all()
    assert sorted(m.recipient.split("@")[0] for m in mails) == ["billing", "owner"]
    said = operator.told(actor)[0]
    assert (said["before"]["minor"], said["after"]["minor"]) == (11880, 14280)
    assert (said["changes_at"], said["instance_id"]) == ("2026-06-01T00:00:00Z", None)
    assert (said["interval"]["period"], said["reminder"]) == ("MONTHLY", False)


def test_nobody_is_moved_whom_nobody_can_tell(growth, operator, office, world):
    office.account()
    row = MembershipRow
    world.change(update(row).where(row.account_id == growth.account_id).values(role="member"))
    operator.sell(growth_monthly_usd="119.00")
    done = operator.announce()
    assert done.problems == (f"account account{world.key_of(growth)} has no member to tell",)
    assert world.rows(PriceChangeRow) == 0


def test_what_has_not_come_can_be_taken_back_and_is_said(growth, operator, office, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    assert len(operator.call_off().waiting) == 1
    assert operator.changes(growth) == [("withdrawn", JUNE_1)]
    assert operator.bills(growth) == [9900, 9900]
    assert operator.told(growth)[1]["price"]["minor"] == 9900
    assert operator.call_off().waiting == ()
    assert len(operator.announce().moved) == 1  # and announced anew
    assert len(operator.told(growth)) == 3
    run_at(world, MAY_1)
    world.now = JUNE_1  # the renewal is late, the price is in force
    assert operator.call_off().waiting == ()
    assert operator.changes(growth)[1] == ("scheduled", JUNE_1)


def test_what_is_announced_long_before_is_said_again_two_weeks_before(growth, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    for days, told in ((36, 1), (1, 2), (1, 2), (14, 2)):  # 17 May and 18 May, 19 May, 2 June
        world.pass_time(days=days)
        operator.remind()
        assert len(operator.told(growth)) == told, world.now
    assert operator.told(growth)[1]["reminder"] is True


def test_of_two_changes_only_the_one_that_is_near_is_said_again(growth, operator, world):
    world.buy(growth, "salesforce")
    operator.sell(growth_monthly_usd="119.00", salesforce_monthly_usd="60.00")
    operator.announce(days=60)
    operator.announce(SALESFORCE)
    world.now = datetime(2026, 5, 20, tzinfo=UTC)
    operator.remind()
    assert [told["name"] for told in operator.told(growth)[2:]] == ["Salesforce connector"]


def test_a_notice_of_a_month_is_not_repeated(growth, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce(days=14)
    assert operator.ahead(growth) == [(11900, MAY_1)]
    world.pass_time(days=15)
    operator.remind()
    assert len(operator.told(growth)) == 1


def test_the_accounts_own_clock_counts(growth, operator, office, world):
    clock = datetime(2026, 6, 20, tzinfo=UTC)
    row = AccountRow
    world.change(update(row).where(row.id == growth.account_id).values(test_clock_at=clock))
    office.run_due()
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    assert operator.ahead(growth) == [(11900, AUGUST_1)]


def test_each_turn_is_recorded(growth, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    operator.announce()
    run_at(world, JULY_1)
    with world.session() as session:
        found = session.scalars(
            select(EventRow).where(EventRow.name.startswith("price_change")).order_by(EventRow.id)
        ).all()
    assert [(e.name, e.actor, e.account_id) for e in found] == [
        ("price_change:announced", "cli", growth.account_id),
        ("price_change:applied", "renewal", growth.account_id),
    ]
