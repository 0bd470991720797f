"""What the quote of a change says about add-ons, limits and the bills that follow."""

from __future__ import annotations

from datetime import UTC, datetime
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
        BUSINESS: "$349.00 on 1 May 2026 $349.00 on 1 Jun 2026",
        STARTER: "$79.00 on 1 May 2026 $79.00 on 1 Jun 2026",
    }
    for address, said in expected.items():
        page = visit.get(address)
        [part] = [e for e in page.all("div") if e.get("id") == "plans-next-bills"]
        assert said in page.words(part)
        assert "As things are $149.00 on 1 May 2026 $149.00 on 1 Jun 2026" in page.words(part)
    visit.post(STARTER, form_of(page), 303)
    world.now = datetime(2026, 5, 1, tzinfo=UTC)
    office.run_due()
    assert office.till.taken()[-1] == 7900


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
