"""What members see of a price that will change, until it has."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portal.domain.access import Role
from portal.domain.taxes import Tax
from tests.services.changing import Office
from tests.services.paying import Till
from tests.services.repricing import SALESFORCE, Operator
from tests.services.time_passing import run_at
from tests.web.reading import Visitor

BASE = "/settings/billing"
GRID, ACTIVE, PLANS = f"{BASE}/add-ons", f"{BASE}/add-ons/active", f"{BASE}/plans"
JUNE_1 = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def actor(world, visit):
    """Both prices of the account change on 1 June; a member looks."""
    vat = Tax(Decimal(20), False, "VAT")
    actor = Office(world, Till(world)).account(tax=vat)
    world.buy(actor, "salesforce")
    operator = Operator(world, {})
    operator.sell(growth_monthly_usd="119.00", salesforce_monthly_usd="60.00")
    operator.announce()
    operator.announce(SALESFORCE)
    visit.sign_in("owner@account1.test")
    return actor


def notice(page) -> str:
    found = [e for e in page.all("div") if e.get("id") == "layouts-prices-ahead"]
    return page.words(found[0]) if found else ""


@pytest.mark.parametrize("url", [GRID, ACTIVE, PLANS])
def test_the_notice_says_what_and_from_when_and_leads_on(actor, visit, url):
    page = visit.get(url)
    assert "Growth: $142.80 including $23.80 VAT / month from 1 Jun 2026 on, $118.80" in notice(
        page
    )
    assert "Salesforce connector: $72.00 including $12.00 VAT / month" in notice(page)
    links = {page.words(a): a.get("href") for a in page.all("a")}
    assert links["Cancel Salesforce connector"] == f"{ACTIVE}/1/cancel"
    assert ("See the plans" in links) == (url != PLANS)


def test_other_pages_leave_it(actor, visit):
    assert notice(visit.get(f"{BASE}/usage")) == ""


def test_the_row_and_the_plan_say_it_until_then(actor, visit, world):
    page = visit.get(ACTIVE)
    row = page.words(page.article("Salesforce connector"))
    assert "renews 1 May 2026 for $60.00 including $10.00 VAT" in row
    assert "from 1 Jun 2026: $72.00 including $12.00 VAT / month" in row
    plan = visit.get(PLANS).words(visit.get(PLANS).all("section")[0])
    assert "From 1 Jun 2026" in plan
    assert "$119.00 / month" in plan
    offer = visit.get(PLANS).article("Growth")
    assert "You pay $99.00 / month now" in visit.get(PLANS).words(offer)
    run_at(world, datetime(2026, 5, 15, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    page = visit.get(ACTIVE)
    row = page.words(page.article("Salesforce connector"))
    assert "renews 1 Jun 2026 for $72.00 including $12.00 VAT" in row


def test_the_next_bills_and_the_cancel_page_know_it(actor, visit):
    words = visit.get(ACTIVE).text
    assert "$178.80" in words, "149.00 and its tax, in May"
    assert "$214.80" in words, "179.00 and its tax, in June"
    assert "$142.80" in visit.get(f"{ACTIVE}/1/cancel").text, "June without the connector"


def test_once_it_has_come_nothing_is_ahead(actor, visit, world):
    run_at(world, JUNE_1)
    visit.sign_in("owner@account1.test")
    page = visit.get(ACTIVE)
    assert notice(page) == ""
    row = page.words(page.article("Salesforce connector"))
    assert "from 1 Jun 2026:" not in row
    assert "renews 1 Jul 2026 for $72.00 including $12.00 VAT" in row


def test_what_is_cancelled_is_not_announced_any_more(actor, visit):
    page = visit.get(f"{ACTIVE}/1/cancel")
    form = page.all("form", action=f"{ACTIVE}/1/cancel")[0]
    token = next(e.get("value") for e in form.iter("input") if e.get("name") == "csrf_token")
    visit.post(f"{ACTIVE}/1/cancel", {"csrf_token": token, "reason": ""}, 303)
    assert "Salesforce" not in notice(visit.get(ACTIVE))


def test_the_card_page_names_the_price_that_is_charged_next(actor, visit, world):
    run_at(world, datetime(2026, 5, 15, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    assert "$142.80" in visit.get(f"{BASE}/payment-methods/1/remove").text


def test_a_member_who_may_only_look_sees_it_too(actor, app, world):
    world.member(actor.account_id, "member@account1.test", Role.MEMBER)
    member = Visitor(app.test_client())
    member.sign_in("member@account1.test")
    assert "Growth: $142.80" in notice(member.get(ACTIVE))
