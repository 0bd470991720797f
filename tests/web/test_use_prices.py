"""What use beyond the allowance costs, wherever a member meets it."""

from __future__ import annotations

import pytest

from tests.services.beyond import LIMIT, Meterage
from tests.services.trending import use_daily
from tests.web.test_usage import card

USAGE, PLANS, INVOICES = (f"/settings/billing/{page}" for page in ("usage", "plans", "invoices"))


@pytest.fixture
def meterage(world) -> Meterage:
    return Meterage(world)


@pytest.fixture
def owner(meterage, world, visit):
    actor = meterage.account()
    meterage.at("2026-04-20 12:00")
    visit.sign_in("owner@account1.test")
    return actor


def test_the_usage_page_says_the_price_and_what_is_billed_so_far(meterage, owner, visit):
    meterage.use(owner, LIMIT)
    said = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.0008 a message" in said
    assert "Billed for it so far" not in said
    meterage.use(owner, 10_000)
    said = card(visit.get(USAGE), "Messages")
    assert "Above the allowance 10,000" in said
    assert "Billed for it so far $8.00 on 1 May 2026" in said


def test_where_no_pack_costs_less_nothing_is_to_be_bought(meterage, world, visit):
    actor = meterage.account()
    meterage.at("2026-04-28 12:00")
    use_daily(world, actor, 52_900)
    visit.sign_in("owner@account1.test")
    said = card(visit.get(USAGE), "Messages")
    assert "Nothing to buy: no pack costs less than what is charged for them." in said
    assert "2,550 messages beyond the allowance: about $2.04 on the bill of 1 May 2026." in said
    assert "Add 10,000" not in said


def test_where_a_pack_costs_less_it_is_suggested_and_the_rest_told(meterage, world, visit):
    actor = meterage.account()
    meterage.at("2026-04-20 12:00")
    use_daily(world, actor, 30_900)
    visit.sign_in("owner@account1.test")
    said = card(visit.get(USAGE), "Messages")
    assert "Add 100,000 extra messages every month for" in said
    assert "5,750 messages beyond the allowance: about $4.60 on the bill of 1 May 2026." in said


def test_the_plans_say_it_and_so_does_the_quote_of_a_change(meterage, world, visit):
    meterage.office.account()
    visit.sign_in("owner@account1.test")
    page = visit.get(PLANS)
    [row] = [r for r in page.all("tr") if page.words(r).startswith("Messages")]
    assert "100,000 messages / month 500,000 messages / month then $0.0008 a message" in (
        page.words(row)
    )
    quote = visit.get(f"{PLANS}/business/monthly").text
    assert "Messages beyond the allowance $0.0008 a message" in quote
    assert "beyond the allowance" not in visit.get(f"{PLANS}/starter/monthly").text


def test_the_bill_says_what_it_is_for_before_and_after(meterage, owner, world, visit):
    meterage.use(owner, LIMIT + 12_500)
    line = "Messages beyond the allowance"
    working = "$0.0008 × 12,500 = $10.00"
    upcoming = visit.get(f"{INVOICES}/upcoming").text
    assert line in upcoming
    assert working in upcoming
    meterage.run("2026-05-01")
    visit.sign_in("owner@account1.test")
    invoice = visit.get(f"{INVOICES}/{meterage.last_invoice(owner)}").text
    assert line in invoice
    assert f"1 Apr 2026 – 1 May 2026: {working}" in invoice


def test_the_notice_that_all_is_used_says_that_use_goes_on_and_for_how_much(meterage, visit):
    actor = meterage.account()
    meterage.at("2026-04-11")
    visit.sign_in("owner@account1.test")
    meterage.use(actor, LIMIT - 1)
    assert "Use goes on" not in visit.get(USAGE).text
    meterage.use(actor, 1)
    said = visit.get(USAGE).text
    assert "All of your messages are used" in said
    assert "Use goes on: $0.0008 a message." in said
