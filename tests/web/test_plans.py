"""The Plans page, the quote of a change, and what a member without the right sees."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import delete, update

from portal.domain.access import Role
from portal.domain.taxes import Tax
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import PlanChangeRow, SubscriptionRow
from tests.services.changing import Office
from tests.services.leaving import save_card
from tests.services.paying import Till
from tests.web.reading import HTMX, Visitor

PLANS = "/settings/billing/plans"
BUSINESS, YEAR, STARTER = (
    f"{PLANS}/business/monthly",
    f"{PLANS}/growth/annual",
    f"{PLANS}/starter/monthly",
)


@pytest.fixture
def office(world) -> Office:
    return Office(world, Till(world))


@pytest.fixture
def owner(office, visit):
    actor = office.account()
    visit.sign_in("owner@account1.test")
    return actor


def form_of(page) -> dict[str, str]:
    return {name: page.hidden(name) for name in ("csrf_token", "token")}


def button(page) -> str:
    form = next(f for f in page.all("form") if f.get("id") == "plans-change-form")
    return page.words(next(form.iter("button")))


def test_every_plan_is_an_article_with_its_price_and_one_way(owner, visit):
    page = visit.get(PLANS)
    said = {name: page.words(page.article(name)) for name in ("Starter", "Growth", "Business")}
    assert "$29.00 / month" in said["Starter"]
    assert "Downgrade" in said["Starter"]
    assert "on 1 May 2026" in said["Starter"]
    assert "You pay this now" in said["Growth"]
    assert "Upgrade" in said["Business"]
    assert "less than" not in said["Business"]
    assert [e.get("aria-current") for e in page.all("a") if e.get("href") == PLANS] == ["page"]


def test_the_year_shows_a_computed_saving_and_the_same_plan_as_a_switch(owner, visit):
    page = visit.get(f"{PLANS}?cycle=annual")
    assert "$2,870.00 / year" in page.words(page.article("Business"))
    assert "20 % less than paying monthly" in page.words(page.article("Business"))
    assert "Pay annually" in page.words(page.article("Growth"))
    part = visit.get(f"{PLANS}?cycle=annual", **HTMX)
    assert "<html" not in part.html
    assert "$2,870.00 / year" in part.text
    assert "$299.00 / month" in visit.get(f"{PLANS}?cycle=fortnightly").text


def test_from_a_year_the_month_waits_whichever_plan_it_is(office, visit):
    office.account(price="growth_annual_usd")
    visit.sign_in("owner@account1.test")
    page = visit.get(f"{PLANS}?cycle=monthly")
    for plan, label in (
        ("Starter", "Downgrade"),
        ("Growth", "Pay monthly"),
        ("Business", "Change plan"),
    ):
        words = page.words(page.article(plan))
        assert label in words
        assert "At the end of your term, on 1 Apr 2027" in words
    assert "You pay this now" in visit.get(PLANS).words(visit.get(PLANS).article("Growth"))


def test_prices_are_in_the_accounts_currency_and_say_what_of_the_tax(office, visit):
    vat = Tax(Decimal(10), True, "Consumption tax")
    office.account(price="growth_monthly_jpy", currency="jpy", tax=vat)
    visit.sign_in("owner@account1.test")
    page = visit.get(PLANS)
    assert "¥44,800 / month" in page.words(page.article("Business"))
    assert "Prices include Consumption tax." in page.text


def test_without_a_plan_there_is_nothing_to_change_yet(world, visit):
    world.account()
    world.change(delete(SubscriptionRow))
    visit.sign_in("owner@account1.test")
    page = visit.get(PLANS)
    assert "You have no plan" in page.text
    assert "You have no plan that could be changed" in page.words(page.article("Business"))
    assert "no plan that could be changed" in visit.get(BUSINESS).text


def test_the_matrix_says_what_each_plan_includes(owner, visit):
    page = visit.get(PLANS)
    rows = {
        page.words(next(row.iter("th"))): [page.words(cell) for cell in row.iter("td")]
        for row in page.all("tr")
        if list(row.iter("td"))
    }
    assert rows["Members"] == ["3 members", "10 members", "30 members", "Unlimited"]
    assert rows["Messages"][1] == "100,000 messages / month"
    assert rows["Zendesk connector"] == ["– Not included"] * 0 + [
        "–Not included",
        "–Not included",
        "Included",
        "Included",
    ]
    assert rows["Support response time"][0] == "Within 2 working days"


def test_button_receipt_invoice_and_charge_say_the_same(owner, office, world, visit):
    page = visit.get(BUSINESS)
    assert button(page) == "Pay $133.33 now"
    assert "Growth, unused" in page.text
    assert "$66.00" in page.text
    assert "20 of 30 days (1,728,000 of 2,592,000 s)" in page.text
    assert "+266,667 messages" in page.text or "266,667 messages" in page.text
    assert world.rows(QuoteRow) == world.rows(PurchaseRow) == 0
    reply = visit.post(BUSINESS, form_of(page), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "Your plan was changed to Business" in receipt.text
    assert "You paid $133.33" in receipt.text
    assert "$133.33" in visit.get("/settings/billing/invoices/2").text
    assert office.till.taken()[-1] == 13333
    assert "Growth" not in visit.get(PLANS).words(visit.get(PLANS).all("section")[0])


def test_the_same_form_twice_changes_once_and_htmx_is_led_on(owner, office, visit):
    form = form_of(visit.get(BUSINESS))
    first = visit.post(BUSINESS, form, 204, **HTMX)
    again = visit.post(BUSINESS, form, 303)
    assert first.headers["HX-Redirect"] == again.headers["Location"]
    assert len(office.till.taken()) == 2


def test_a_stale_form_shows_old_and_new(owner, office, world, visit):
    form = form_of(visit.get(BUSINESS))
    world.pass_time(minutes=16)
    reply = visit.post(BUSINESS, form, 422)
    assert "The price on that page had expired" in reply.text
    assert "You saw $133.33" in reply.text
    visit.post(BUSINESS, form_of(reply), 303)
    assert office.plan(owner)[0] == "business"


@pytest.mark.parametrize("token", ["", "nonsense", "\x01"])
def test_a_bad_token_changes_nothing(token, owner, office, visit):
    form = form_of(visit.get(BUSINESS)) | {"token": token}
    assert "Nothing was charged" in visit.post(BUSINESS, form, 422).text
    assert len(office.till.taken()) == 1


def test_a_token_for_another_plan_cycle_or_page_is_refused(owner, office, visit):
    form = form_of(visit.get(BUSINESS))
    assert "This price is for another plan" in visit.post(STARTER, form, 422).text
    assert "another plan" in visit.post(f"{PLANS}/business/annual", form, 422).text
    purchase = "/settings/billing/add-ons/salesforce/purchase"
    assert "Please check the price again" in visit.post(purchase, form, 422).text
    add_on = {name: visit.get(purchase).hidden(name) for name in ("csrf_token", "token")}
    assert "Please check the price again" in visit.post(BUSINESS, add_on, 422).text
    assert len(office.till.taken()) == 1


def test_another_accounts_token_is_refused(owner, office, visit, app):
    office.account()
    foreign = visit.get(BUSINESS).hidden("token")
    other = Visitor(app.test_client())
    other.sign_in("owner@account2.test")
    form = form_of(other.get(BUSINESS)) | {"token": foreign}
    assert "Please check the price again" in other.post(BUSINESS, form, 422).text


def test_unknown_plans_and_cycles_are_not_found(owner, visit):
    for path in ("no_such_plan/monthly", "business/fortnightly", "business/daily/x"):
        visit.get(f"{PLANS}/{path}", 404)


def test_a_downgrade_is_agreed_shown_and_taken_back(owner, world, visit):
    page = visit.get(STARTER)
    assert button(page) == "Change on 1 May 2026"
    assert "Nothing is charged before the change" in page.text
    reply = visit.post(STARTER, form_of(page), 303)
    assert reply.headers["Location"] == PLANS
    index = visit.get(PLANS)
    assert "Your plan changes on 1 May 2026" in index.text
    assert "Your plan changes to this one already" in index.words(index.article("Starter"))
    assert "Your plan changes on 1 May 2026" in visit.get("/settings/billing/add-ons/active").text
    assert "takes the place of the change agreed for 1 May 2026" in visit.get(BUSINESS).text
    token = {"csrf_token": index.hidden("csrf_token")}
    visit.post(f"{PLANS}/withdraw", token, 303)
    assert "Your plan stays as it is" in visit.get(PLANS).text
    visit.post(f"{PLANS}/withdraw", token, 303)
    assert "no change to withdraw" in visit.get(PLANS).text
    assert world.rows(PlanChangeRow, status="withdrawn") == 1


def test_a_reader_sees_all_with_controls_disabled_and_why(owner, world, visit, app):
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    index = reader.get(PLANS)
    article = index.article("Business")
    [control] = list(article.iter("button"))
    assert control.get("disabled") is not None
    assert "Your role may look but not change the plan" in index.words(article)
    page = reader.get(BUSINESS)
    assert "$133.33" in page.text
    assert "token" not in {e.get("name") for e in page.all("input")}
    csrf = index.hidden("csrf_token")
    reader.post(BUSINESS, {"csrf_token": csrf, "token": "x"}, 403)
    reader.post(f"{PLANS}/withdraw", {"csrf_token": csrf}, 403)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("past_due", "An invoice is overdue"),
        ("trialing", "Plans can be changed once your trial has ended"),
        ("suspended", "Your plan is suspended"),
    ],
)
def test_why_not_is_said(status, said, owner, world, visit):
    world.change(update(SubscriptionRow).values(status=status))
    index = visit.get(PLANS)
    assert said in index.words(index.article("Business"))
    assert said in visit.get(BUSINESS).text


def test_the_grid_leads_to_the_plans(owner, visit):
    grid = visit.get("/settings/billing/add-ons")
    article = grid.article("Advanced webhooks")
    assert "Not available on your plan" in grid.words(article)
    assert PLANS in [link.get("href") for link in article.iter("a")]


def test_a_declined_change_is_named_everywhere_paid_otherwise_and_shown(office, visit, world):
    save_card(world, office.account(), "pm_card_chargeCustomerFail")
    visit.sign_in("owner@account1.test")
    page = visit.get(BUSINESS)
    reply = visit.post(BUSINESS, form_of(page), 303)
    unpaid = visit.get(reply.headers["Location"])
    assert "The payment did not go through" in unpaid.text
    assert "Do not change the plan" in unpaid.text
    index = visit.get(PLANS)
    assert "A payment is not finished" in index.text
    assert "Change of plan" in index.text
    assert "A payment for a plan is not finished yet" in index.text
    assert "not finished yet" in visit.get(BUSINESS).text
    token = {"csrf_token": unpaid.hidden("csrf_token")}
    visit.post(reply.headers["Location"] + "/stop", token, 303)
    stopped = visit.get(reply.headers["Location"])
    assert "You stopped this purchase" in stopped.text
    assert "your plan was not changed" in stopped.text
    assert button(visit.get(BUSINESS)).startswith("Pay ")
