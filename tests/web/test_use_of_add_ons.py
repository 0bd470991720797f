"""An add-on that charges for use, from its card to the mail of its end, as members read it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.models.catalog import AddOnRow
from portal.models.mails import MailRow
from tests.services.beyond import Meterage
from tests.services.by_use import NAME, buy, by_use, cancel, sell
from tests.services.trending import use_daily
from tests.web.reading import Reply, Visitor
from tests.web.test_usage import card

GRID, ACTIVE = "/settings/billing/add-ons", "/settings/billing/add-ons/active"
CONFIRM = f"{GRID}/messages_by_use/purchase"
USAGE, UPCOMING = "/settings/billing/usage", "/settings/billing/invoices/upcoming"
LIMIT = 100_000


@pytest.fixture
def meterage(world) -> Meterage:
    return Meterage(world)


@pytest.fixture
def owner(meterage, visit):
    sell(meterage)
    actor = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-20 12:00")
    visit.sign_in("owner@account1.test")
    return actor


def said(page: Reply) -> str:
    return " ".join(page.text.split())


def accept(visit: Visitor, query: str = "") -> Reply:
    page = visit.get(CONFIRM + query)
    form = {name: page.hidden(name) for name in ("csrf_token", "token")}
    return visit.get(visit.post(CONFIRM, form, 303).headers["Location"])


def test_its_card_says_the_price_of_a_unit_and_that_it_is_bought_for_nothing(owner, visit):
    words = visit.get(GRID).words(visit.get(GRID).article(NAME))
    assert "Messages beyond the allowance: $0.001 a message" in words
    assert "$0.00 / month" in words
    assert "0 messages" not in words


def test_the_confirm_page_says_when_use_is_billed_and_what_todays_pace_costs(
    owner, meterage, world, visit
):
    assert "At today's pace" not in said(visit.get(CONFIRM)), "nothing was used yet"
    use_daily(world, owner, 10_000)
    page = said(visit.get(CONFIRM))
    assert "Messages beyond the allowance $0.001 a message" in page
    assert "Billed for use Afterwards, first on 1 May 2026" in page
    assert "At today's pace About $75.00 by 1 May 2026, for 75,000 messages" in page
    assert "Instead of" not in page
    assert "Add to plan" in page


def test_within_the_allowance_todays_pace_costs_nothing(owner, world, visit):
    use_daily(world, owner, 100)
    assert "At today's pace Nothing: the allowance lasts until 1 May 2026" in said(
        visit.get(CONFIRM)
    )


def test_where_the_plan_charges_for_it_the_page_says_what_is_replaced(meterage, visit):
    sell(meterage, by_use(meterage, "0.0005"))
    meterage.account()
    visit.sign_in("owner@account1.test")
    assert "Instead of $0.0008 a message" in said(visit.get(CONFIRM))


def test_the_receipt_the_row_the_usage_page_and_the_next_bill_say_it(owner, meterage, visit):
    receipt = said(accept(visit))
    assert "There was nothing to pay for Messages by use." in receipt
    assert "Messages beyond the allowance: $0.001 a message" in receipt
    meterage.use(owner, LIMIT + 10_000)
    row = visit.get(ACTIVE).words(visit.get(ACTIVE).article(NAME))
    assert "Messages beyond the allowance: $0.001 a message" in row
    assert "billed for use so far: $10.00 on 1 May 2026" in row
    assert "Left in this quota window" not in row
    usage = card(visit.get(USAGE), "Messages")
    assert "Beyond the allowance $0.001 a message" in usage
    assert NAME not in usage, "it brings none"
    assert "Billed for it so far $10.00 on 1 May 2026" in usage
    assert "Messages beyond the allowance" in said(visit.get(UPCOMING))


def test_cancelling_never_says_that_nothing_more_is_charged(owner, meterage, world, visit):
    instance_id = buy(meterage, owner)
    page = said(visit.get(f"{ACTIVE}/{instance_id}/cancel"))
    assert "Charges Only for what is used until then" in page
    cancel(meterage, owner)
    row = visit.get(ACTIVE).words(visit.get(ACTIVE).article(NAME))
    assert "works until 1 May 2026; what is used until then is billed" in row
    assert "no further charge" not in row
    with world.session() as session:
        told = {mail.kind: mail.notice for mail in session.scalars(select(MailRow))}
    assert told["add_on_cancelled"]["bills_use"] is True
    assert told["purchased"]["uses"][0]["amount"] == "0.001000000000000"


def test_without_renewal_the_button_says_that_use_is_still_billed(owner, visit):
    page = said(visit.get(f"{CONFIRM}?quantity=1&start=now&auto_renew=off"))
    assert "Nothing renews; what is used until it ends is billed afterwards." in page
    assert "no further charge" not in page.lower()


def test_for_the_next_cycle_the_first_bill_for_use_is_a_month_later(owner, world, visit):
    use_daily(world, owner, 10_000)
    page = said(visit.get(f"{CONFIRM}?quantity=1&start=next_cycle&auto_renew=on"))
    assert "Billed for use Afterwards, first on 1 Jun 2026" in page
    assert "At today's pace" not in page
    assert world.state(owner).now == datetime(2026, 4, 20, 12, tzinfo=UTC)


def test_the_quote_of_another_plan_says_which_price_holds_while_it_is_held(owner, meterage, visit):
    buy(meterage, owner)
    quote = said(visit.get("/settings/billing/plans/business/monthly"))
    assert (
        "Messages beyond the allowance $0.001 a message while you have Messages by use,"
        " $0.0008 a message without it"
    ) in quote
    cancel(meterage, owner)
    assert "while you have" in said(visit.get("/settings/billing/plans/business/monthly"))


def test_the_quote_of_a_plan_that_cannot_have_it_says_the_plans_own_price_alone(
    meterage, visit, world
):
    sell(meterage)
    above = world.account(plan="enterprise", price="enterprise_monthly_usd")
    buy(meterage, above)
    only = update(AddOnRow).where(AddOnRow.name == NAME)
    world.change(only.values(allowed_plans=["enterprise"]))
    visit.sign_in("owner@account1.test")
    quote = said(visit.get("/settings/billing/plans/business/monthly"))
    assert "Messages by use Ends on 1 May 2026" in quote
    assert "Messages beyond the allowance $0.0008 a message" in quote
    assert "while you have" not in quote
