"""What members see of a price for use that will change, until it has."""

from __future__ import annotations

import pytest

from tests.services.beyond import Meterage
from tests.services.by_use import NAME, buy, by_use, cancel, sell
from tests.services.leaving import cancel_plan
from tests.services.repricing import Operator
from tests.web.test_price_changes import ACTIVE, GRID, PLANS, notice
from tests.web.test_usage import card

USAGE = "/settings/billing/usage"
UPCOMING, ACTIVITY = "/settings/billing/invoices/upcoming", "/settings/billing/activity"
LIMIT = 500_000


@pytest.fixture
def meterage(world) -> Meterage:
    return Meterage(world)


@pytest.fixture
def actor(meterage, world, visit):
    """On Business with an add-on that charges for use; both prices for use change on 1 June."""
    operator = Operator(world, {})
    operator.sell(business_messages_usd="0.0016")
    sell(meterage)
    found = meterage.account()
    operator.sell(business_messages_usd="0.0024")
    sell(meterage)
    meterage.at("2026-04-11")
    buy(meterage, found)
    sell(meterage, by_use(meterage, "0.002"))
    operator.announce("business_messages_usd")
    operator.announce("messages_by_use_use_usd")
    visit.sign_in("owner@account1.test")
    return found


@pytest.mark.parametrize("url", [GRID, ACTIVE, PLANS])
def test_the_notice_says_what_one_more_costs_from_when_and_leads_on(actor, visit, url):
    page = visit.get(url)
    said = notice(page)
    assert (
        "Business: $0.0024 a message beyond the allowance from 1 Jun 2026 on,"
        " $0.0016 a message until then."
    ) in said
    assert f"{NAME}: $0.002 a message beyond the allowance from 1 Jun 2026 on, $0.001" in said
    links = {page.words(a): a.get("href") for a in page.all("a")}
    assert links[f"Cancel {NAME}"] == f"{ACTIVE}/1/cancel"
    assert ("See the plans" in links) == (url != PLANS)


def test_the_row_and_the_plan_say_it_until_then(actor, visit):
    page = visit.get(ACTIVE)
    row = page.words(page.article(NAME))
    assert "Messages beyond the allowance: $0.001 a message" in row
    assert "from 1 Jun 2026: $0.002 a message beyond the allowance" in row
    plans = visit.get(PLANS)
    plan = plans.words(plans.all("section")[0])
    assert "From 1 Jun 2026$0.0024 a message beyond the allowance" in plan
    assert "$0.002 a message" not in plan


def test_the_usage_page_says_the_price_of_what_stands_in_the_plans_place(actor, visit):
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.001 a message" in said
    assert "Beyond the allowance from 1 Jun 2026 $0.002 a message" in said
    assert "$0.0024" not in said


def test_and_of_the_plan_once_that_has_ended(actor, meterage, visit):
    cancel(meterage, actor)
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.001 a message" in said
    assert "Beyond the allowance from 1 May 2026 $0.0016 a message" in said
    assert "Beyond the allowance from 1 Jun 2026 $0.0024 a message" in said
    assert "$0.002 a" not in said
    meterage.run("2026-05-01")
    visit.sign_in("owner@account1.test")
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.0016 a message" in said
    assert "Beyond the allowance from 1 Jun 2026 $0.0024 a message" in said
    assert "1 May" not in said
    meterage.run("2026-06-01")
    visit.sign_in("owner@account1.test")
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.0024 a message" in said
    assert "Beyond the allowance from" not in said


def test_what_comes_after_the_end_of_the_plan_is_not_said(actor, world, visit):
    cancel_plan(world, actor)
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.001 a message" in said
    assert "Beyond the allowance from" not in said


def test_a_plan_that_charges_nothing_is_said_where_an_add_on_ends(meterage, visit):
    sell(meterage)
    growth = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    buy(meterage, growth)
    cancel(meterage, growth)
    visit.sign_in("owner@account1.test")
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance from 1 May 2026 Nothing is charged" in said


def test_what_is_used_after_it_is_on_the_next_bill_at_the_new_price_before_a_worker_came(
    actor, meterage, visit
):
    meterage.run("2026-05-01")
    meterage.at("2026-06-02")
    meterage.use(actor, LIMIT + 10_000)
    visit.sign_in("owner@account1.test")
    page = visit.get(ACTIVE)
    assert "billed for use so far: $20.00 on 1 Jul 2026" in page.words(page.article(NAME))
    meterage.run("2026-06-02")
    assert "$20.00" in visit.get(UPCOMING).text
    page = visit.get(ACTIVE)
    assert notice(page) == ""
    assert "Messages beyond the allowance: $0.002 a message" in page.words(page.article(NAME))


def test_what_is_cancelled_is_not_announced_any_more(actor, meterage, visit):
    cancel(meterage, actor)
    said = notice(visit.get(ACTIVE))
    assert NAME not in said
    assert "Business" in said


def test_activity_says_of_what_use_the_price_changes(actor, meterage, visit):
    assert (
        "A new price of Messages beyond the allowance of the plan was announced for 1 Jun 2026"
    ) in visit.get(ACTIVITY).text
    meterage.run("2026-06-02")
    visit.sign_in("owner@account1.test")
    said = visit.get(ACTIVITY).text
    assert f"A new price of Messages beyond the allowance of {NAME} came into force" in said
