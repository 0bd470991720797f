"""Once a plan has ended its pages lead to another: the offers, the price, the receipt."""

from __future__ import annotations

import pytest

from portal.domain.access import Role
from portal.domain.declines import DeclineReason
from portal.domain.legal import CustomerType
from portal.domain.payments import Declined
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import SubscriptionRow
from tests.services.changing import Office
from tests.services.leaving import cancel_plan, gone
from tests.services.paying import Till
from tests.services.time_passing import run_at
from tests.web.reading import HTMX, Visitor
from tests.web.test_plans import BUSINESS, PLANS, button, form_of

GROWTH = f"{PLANS}/growth/monthly"


@pytest.fixture
def office(world) -> Office:
    return Office(world, Till(world))


@pytest.fixture
def owner(office, world, visit):
    """Somebody whose Growth has ended on 1 May."""
    actor = office.account()
    world.buy(actor, "salesforce")
    gone(world, actor)
    visit.sign_in("owner@account1.test")
    return actor


def live(world) -> int:
    return world.rows(SubscriptionRow, ended_at=None)


def test_every_plan_can_be_chosen_and_the_last_one_started_again(owner, visit):
    page = visit.get(PLANS)
    assert "Choose one below" in page.text
    for name, label in (("Growth", "Start again with Growth"), ("Business", "Choose Business")):
        [link] = list(page.article(name).iter("a"))
        assert page.words(link) == label
        assert "At once; you see the price first" in page.words(page.article(name))
    assert visit.get(f"{PLANS}?cycle=annual").all("a", href=f"{PLANS}/business/annual")


def test_button_receipt_invoice_and_charge_say_the_same(owner, office, world, visit):
    page = visit.get(BUSINESS)
    assert page.words(page.all("h1")[0]) == "Start a plan"
    assert button(page) == "Pay $299.00 now"
    for said in (
        "At once after payment", "$299.00 / month", "Next charge 1 Jun 2026",
        "500,000 messages until 1 Jun 2026", "Members 30 members", "Zendesk connector Included",
        "With the plan $299.00 today $299.00 on 1 Jun 2026 $299.00 on 1 Jul 2026",
        "$3,588.00 in 12 months",
        "Add-ons of Growth ended with it", "The plan starts once the payment has gone through.",
    ):  # fmt: skip
        assert said in page.text, said
    assert "Your next bills, with add-ons" not in page.text
    before = world.rows(QuoteRow)
    reply = visit.post(BUSINESS, form_of(page), 303)
    assert world.rows(QuoteRow) == before + 1
    receipt = visit.get(reply.headers["Location"])
    assert "Your Business plan has begun" in receipt.text
    assert "You paid $299.00" in receipt.text
    assert "Your plan is paid until 1 Jun 2026" in receipt.text
    assert "plan ended on" not in receipt.text
    assert "$299.00" in visit.get("/settings/billing/invoices/3").text
    assert office.till.taken()[-1] == 29900
    index = visit.get(PLANS)
    assert "Your plan: Business" in index.text
    assert "Downgrade" in index.words(index.article("Growth"))
    assert "$299.00" in visit.get("/settings/billing/invoices/upcoming").text
    activity = visit.get("/settings/billing/activity").text
    assert "The Business plan began" in activity
    assert "Start of the Business plan for $299.00: the purchase went through" in activity


def test_the_same_form_twice_begins_once_and_htmx_is_led_on(owner, office, world, visit):
    form = form_of(visit.get(GROWTH))
    first = visit.post(GROWTH, form, 204, **HTMX)
    again = visit.post(GROWTH, form, 303)
    assert first.headers["HX-Redirect"] == again.headers["Location"]
    assert (live(world), office.till.taken()) == (1, [9900, 3333, 9900])
    assert "This is your plan" in visit.get(GROWTH).text, "the way back shows what there is now"


def test_an_old_or_foreign_token_begins_nothing(owner, office, world, visit, app):
    other = office.account()
    gone(world, other)
    visit.sign_in("owner@account1.test")  # weeks have passed
    form = form_of(visit.get(BUSINESS))
    assert "This price is for another plan" in visit.post(GROWTH, form, 422).text
    stranger = Visitor(app.test_client())
    stranger.sign_in(f"owner@account{world.key_of(other)}.test")
    theirs = form_of(stranger.get(BUSINESS)) | {"token": form["token"]}
    assert "Please check the price again" in stranger.post(BUSINESS, theirs, 422).text
    form = form_of(visit.get(BUSINESS))
    world.pass_time(minutes=16)
    reply = visit.post(BUSINESS, form, 422)
    assert "The price on that page had expired" in reply.text
    assert live(world) == 0
    visit.post(BUSINESS, form_of(reply), 303)
    assert live(world) == 1


def test_what_is_open_is_paid_first_and_the_pages_lead_there(world, visit):
    actor = world.account(card="pm_card_chargeCustomerFail")
    run_at(world, world.now.replace(month=5, day=1))
    cancel_plan(world, actor)
    run_at(world, world.now.replace(month=6))
    visit.sign_in("owner@account1.test")
    invoice = "/settings/billing/invoices/1"
    for url in (PLANS, BUSINESS):
        page = visit.get(url)
        assert "An invoice is open; once it is paid you can start again" in page.text
        assert page.all("a", href=invoice)
    assert not visit.get(BUSINESS).all("form", id="plans-change-form")
    form = {"csrf_token": visit.get(PLANS).hidden("csrf_token"), "card": "new"}
    reply = visit.post(f"{invoice}/pay", form, 303)
    world.gateway.pay_page(reply.headers["Location"].rpartition("/")[2])
    visit.get(f"{invoice}/return", 303)
    assert button(visit.get(BUSINESS)) == "Pay $299.00 now"


def test_a_decline_is_named_everywhere_and_can_be_called_off(owner, office, world, visit):
    office.till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=True))
    reply = visit.post(BUSINESS, form_of(visit.get(BUSINESS)), 303)
    unpaid = visit.get(reply.headers["Location"])
    assert "The payment did not go through" in unpaid.text
    assert "Do not start the plan" in unpaid.text
    index = visit.get(PLANS)
    assert "New plan" in index.text
    assert "A payment for a plan is not finished yet" in index.words(index.article("Growth"))
    token = {"csrf_token": unpaid.hidden("csrf_token")}
    visit.post(reply.headers["Location"] + "/stop", token, 303)
    stopped = visit.get(reply.headers["Location"]).text
    assert "You stopped this purchase" in stopped
    assert "no plan was started" in stopped
    assert button(visit.get(BUSINESS)).startswith("Pay ")


def test_without_a_card_it_is_typed_on_the_processors_page(office, world, visit):
    actor = world.account(card=None)
    gone(world, actor)
    visit.sign_in("owner@account1.test")
    reply = visit.post(GROWTH, form_of(visit.get(GROWTH)), 303)
    world.gateway.pay_page(reply.headers["Location"].rpartition("/")[2])
    purchase = world.state(actor).plan_purchase_id
    back = visit.get(f"/settings/billing/purchases/{purchase}/return", 303)
    assert "Your Growth plan has begun" in visit.get(back.headers["Location"]).text
    assert "Paid with" in visit.get(back.headers["Location"]).text


@pytest.mark.parametrize(
    ("amount", "label", "said"),
    [
        ("0", "Start plan", "There was nothing to pay."),
        ("0.32", "Start plan – $0.32 on your next invoice", "$0.32 is on your next invoice"),
    ],
)
def test_nothing_to_pay_today_is_said(amount, label, said, owner, office, visit):
    office.reprice("starter_monthly_usd", amount)
    page = visit.get(f"{PLANS}/starter/monthly")
    assert button(page) == label
    assert "The plan starts at once." in page.text
    reply = visit.post(f"{PLANS}/starter/monthly", form_of(page), 303)
    assert said in visit.get(reply.headers["Location"]).text


def test_a_reader_sees_the_price_and_why_not(owner, world, visit, app):
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    index = reader.get(PLANS)
    [control] = list(index.article("Business").iter("button"))
    assert control.get("disabled") is not None
    page = reader.get(BUSINESS)
    assert "$299.00" in page.text
    assert not page.all("form", id="plans-change-form")
    token = {"csrf_token": index.hidden("csrf_token"), "token": "x"}
    reader.post(BUSINESS, token, 403)
    assert world.rows(PurchaseRow, kind="plan") == 0


def test_a_consumer_is_told_what_the_law_asks_for(office, world, visit):
    actor = office.account(country="DE", customer_type=CustomerType.CONSUMER)
    gone(world, actor)
    visit.sign_in("owner@account1.test")
    page = visit.get(GROWTH)
    assert button(page).startswith("Zahlungspflichtig")
    refused = visit.post(GROWTH, form_of(page), 422)
    assert "Please tick the box above the button" in refused.text
    reply = visit.post(GROWTH, form_of(page) | {"requested": "yes"}, 303)
    receipt = visit.get(reply.headers["Location"])
    assert "Your Growth plan has begun" in receipt.text
    assert receipt.all("section", id="purchases-consents")
    assert "Vertrag widerrufen" in visit.get(PLANS).text
