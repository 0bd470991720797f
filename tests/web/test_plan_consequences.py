"""What the quote of a change says about add-ons, limits and the bills that follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal.domain.usage import Usage
from portal.services import instances
from portal.services.usage import count
from tests.services.changing import Office
from tests.services.paying import Till
from tests.web.reading import Visitor
from tests.web.test_plans import BUSINESS, PLANS, STARTER, YEAR, form_of


@pytest.fixture
def office(world) -> Office:
    return Office(world, Till(world))


@pytest.fixture
def owner(office, visit: Visitor):
    actor = office.account()
    visit.sign_in("owner@account1.test")
    return actor


def test_what_will_not_fit_and_what_becomes_of_add_ons_is_said(owner, world, visit):
    world.buy(owner, "salesforce")
    page = visit.get(YEAR)
    assert "Switches to $480.00 / year, from now" in page.text
    assert "Carries on at $50.00 / month" in visit.get(BUSINESS).text
    with world.session() as session:
        report = [Usage("level", "members", Decimal(12), world.now)]
        count(session, world.scope, owner.account_id, report, world.wall)
    said = "Members: you have 12 members and the limit becomes 3."
    assert said in visit.get(STARTER).text
    assert "This will not fit" not in visit.get(BUSINESS).text


def test_the_next_bills_with_the_change_and_without_it_are_the_renewals_own(
    owner, office, world, visit
):
    world.buy(owner, "salesforce")
    expected = {
        BUSINESS: "With the change $133.33 today $349.00 on 1 May 2026 $349.00 on 1 Jun 2026"
        " $4,321.33 in 12 months",
        STARTER: "With the change Nothing today $79.00 on 1 May 2026 $79.00 on 1 Jun 2026"
        " $948.00 in 12 months",
    }
    for address, said in expected.items():
        page = visit.get(address)
        [part] = [e for e in page.all("div") if e.get("id") == "plans-next-bills"]
        assert said in page.words(part)
        unchanged = "Nothing today $149.00 on 1 May 2026 $149.00 on 1 Jun 2026"
        assert f"As things are {unchanged} $1,788.00 in 12 months" in page.words(part)
    visit.post(STARTER, form_of(page), 303)
    world.now = datetime(2026, 5, 1, tzinfo=UTC)
    office.run_due()
    assert office.till.taken()[-1] == 7900


def test_a_yearly_and_a_monthly_price_are_compared_over_the_same_twelve_months(owner, world, visit):
    """The next bill of a year is a year away, and twelve of a month are before it."""
    world.now += timedelta(milliseconds=500)
    page = visit.get(f"{PLANS}/growth/annual")
    [part] = [e for e in page.all("div") if e.get("id") == "plans-next-bills"]
    said = page.words(part)
    today, rest = said.removeprefix("Your next bills, with add-ons With the change ").split(" ", 1)
    assert f"{today} in 12 months As things are Nothing today" in rest
    assert "$1,188.00 in 12 months" in rest


def test_what_an_upgrade_brings_beside_messages_is_said_too(owner, visit):
    page = visit.get(BUSINESS)
    [part] = [e for e in page.all("div") if e.get("id") == "plans-consequences"]
    said = page.words(part)
    assert "You get at once" in said
    assert "Members: 30 members" in said
    assert "Zendesk" in said
    assert "You get" not in visit.get(STARTER).text


def test_an_add_on_that_the_new_plan_leaves_without_a_use_is_named(owner, world, visit):
    enterprise, said = f"{PLANS}/enterprise/monthly", "includes what 5 extra members adds"
    world.buy(owner, "members_5")
    assert said in visit.get(enterprise).text
    assert said not in visit.get(BUSINESS).text
    [held] = world.state(owner).instances
    with world.session() as session:
        instances.cancel(owner, held.id, "", session=session, wall=world.wall)
    assert said not in visit.get(enterprise).text


def test_what_is_without_limit_is_not_sold_on_top(office, visit):
    office.account(plan="enterprise", price="enterprise_monthly_usd")
    visit.sign_in("owner@account1.test")
    page = visit.get("/settings/billing/add-ons")
    assert "Included in your plan" in page.words(page.article("5 extra members"))
