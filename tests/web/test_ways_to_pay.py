"""Every way to pay as a browser meets it: hosted page, declined card, the bank's page, too late."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.domain.access import Role
from portal.gateways.fake_payments import Fault
from portal.models.purchases import PurchaseRow
from tests.services.paying import Till
from tests.web.reading import HTMX, Visitor

CONNECTOR = "/settings/billing/add-ons/salesforce/purchase"
PACK = "/settings/billing/add-ons/messages_100k/purchase"
PURCHASE = "/settings/billing/purchases/1"


@pytest.fixture
def till(world):
    return Till(world)


@pytest.fixture
def sign_in(world, visit):
    """A new account with this card, its owner signed in."""

    def sign_in(card: str | None, **about):
        actor = world.account(card=card, **about)
        visit.sign_in(f"owner@account{world.key_of(actor)}.test")
        return actor

    return sign_in


def press(visit, url: str, status: int = 303, card: str = "", **headers: str):
    """The paying button of a confirm page."""
    page = visit.get(url)
    data = {name: page.hidden(name) for name in ("csrf_token", "token")}
    return visit.post(url, data | ({"card": card} if card else {}), status, **headers)


def act(visit, what: str, status: int = 303, **data: str):
    """A button of the purchase's page."""
    page = visit.get(PURCHASE)
    token = {"csrf_token": page.hidden("csrf_token")}
    return visit.post(f"{PURCHASE}/{what}", token | data, status)


def buttons(page) -> list[str]:
    main = next(e for e in page.document.iter() if e.get("id") == "main")
    return [page.words(b) for b in main.iter("button") if b.get("disabled") is None]


def ways(page) -> list[str]:
    """The words of the radio buttons to pay with, the chosen one marked."""
    found = []
    [group] = page.all("fieldset", class_="field pay-with")
    for label in group.iter("label"):
        radio = next(label.iter("input"))
        mark = "*" if radio.get("checked") is not None else ""
        found.append(mark + page.words(next(label.iter("strong"))))
    return found


def test_without_a_card_the_button_leads_to_the_hosted_page_and_back_to_a_receipt(
    sign_in, till, visit
):
    buyer = sign_in(None)
    page = visit.get(CONNECTOR)
    assert "Pay $33.33 now" in buttons(page)
    assert ways(page) == ["*A card"]
    reply = press(visit, CONNECTOR)
    assert reply.headers["Location"] == f"https://checkout.test/{till.page(1)}"
    asked = till.attempts(1)[0].params
    assert asked["return_url"] == "http://127.0.0.1:8420/settings/billing/purchases/1/return"
    assert asked["back_url"] == "http://127.0.0.1:8420/settings/billing/purchases/1"
    till.gateway.pay_page(till.page(1))
    back = visit.get(f"{PURCHASE}/return", 303)
    assert back.headers["Location"] == PURCHASE
    receipt = visit.get(PURCHASE)
    assert "Added to your plan" in receipt.text
    assert "Visa ending 4242" in receipt.text
    assert till.holds(buyer) == ["salesforce"]


def test_htmx_leaves_for_the_hosted_page(sign_in, till, visit):
    sign_in(None)
    reply = press(visit, CONNECTOR, 204, **HTMX)
    assert reply.headers["HX-Redirect"] == f"https://checkout.test/{till.page(1)}"


def test_a_paying_form_may_lead_to_the_hosted_pages_origin_only(sign_in, visit):
    sign_in(None)
    policy = visit.get(CONNECTOR).headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:9;" in policy


def test_coming_back_without_paying_says_so_and_leads_on(sign_in, till, visit):
    sign_in(None)
    press(visit, CONNECTOR)
    page = visit.get(PURCHASE)
    assert "Your payment is not finished" in page.text
    assert "Nothing was charged yet" in page.text
    assert "00:33 UTC" in page.text
    [link] = [a for a in page.all("a") if page.words(a) == "Continue to payment"]
    assert link.get("href") == f"https://checkout.test/{till.page(1)}"
    visit.get(f"{PURCHASE}/return", 303)
    assert "Your payment is not finished" in visit.get(PURCHASE).text


def test_an_unfinished_payment_is_named_on_every_page(sign_in, till, visit):
    sign_in(None)
    press(visit, CONNECTOR)
    for path in ("add-ons", "add-ons/active", "usage", "invoices", "payment-methods"):
        page = visit.get(f"/settings/billing/{path}")
        assert "A payment is not finished Salesforce connector: see the payment" in page.text, path
        assert page.all("a", href=PURCHASE)
    act(visit, "stop")
    assert "A payment is not finished" not in visit.get("/settings/billing/add-ons").text


def test_what_waits_for_its_payment_leads_there_from_its_card(sign_in, visit):
    sign_in(None)
    press(visit, "/settings/billing/add-ons/onboarding/purchase")
    page = visit.get("/settings/billing/add-ons")
    card = page.article("Onboarding")
    assert "A payment for it is not finished yet" in page.words(card)
    [link] = [a for a in card.iter("a") if a.get("href") == PURCHASE]
    assert page.words(link).startswith("See the payment")


def test_a_purchase_that_is_stopped_says_so_and_offers_the_price_of_now(sign_in, visit):
    sign_in(None)
    press(visit, CONNECTOR)
    reply = act(visit, "stop")
    assert reply.headers["Location"] == PURCHASE
    page = visit.get(PURCHASE)
    assert "You stopped this purchase" in page.text
    assert "Nothing was charged" in page.text
    assert page.all("a", href=CONNECTOR)


def test_a_page_whose_time_ran_out_offers_to_pay_again(sign_in, till, visit):
    sign_in(None)
    press(visit, CONNECTOR)
    till.gateway.expire_page(till.page(1))
    visit.get(f"{PURCHASE}/return", 303)
    page = visit.get(PURCHASE)
    assert "The payment page has closed" in page.text
    assert "Pay $33.33 now" in buttons(page)
    again = act(visit, "pay", card="new")
    assert again.headers["Location"] == f"https://checkout.test/{till.page(1)}"


def test_a_payment_after_the_cycle_turned_is_returned_and_told(sign_in, world, till, visit):
    sign_in(None)
    press(visit, CONNECTOR)
    world.now = datetime(2026, 5, 1, 0, 1, tzinfo=UTC)
    visit.sign_in("owner@account1.test")
    till.gateway.pay_page(till.page(1))
    visit.get(f"{PURCHASE}/return", 303)
    page = visit.get(PURCHASE)
    assert "Your payment was returned" in page.text
    assert "The period it was for had ended before it was paid." in page.text
    assert "$33.33 was returned to your card" in page.text
    listed = visit.get("/settings/billing/invoices")
    assert "Returned payments" in listed.text
    assert "$33.33" in listed.text
    assert [r.amount.minor for r in till.gateway.refunds] == [3333]


DECLINES = {
    "pm_card_chargeCustomerFail": ("does not say why", "You can try again, or use another card"),
    "pm_card_radarBlock": ("does not say why", "Please do not try this card again"),
}


@pytest.mark.parametrize("card", DECLINES)
def test_a_decline_says_why_and_another_card_pays_for_the_same_purchase(card, sign_in, till, visit):
    buyer = sign_in(card)
    where = press(visit, CONNECTOR, 204, **HTMX).headers["HX-Redirect"]
    page = visit.get(where)
    assert "The payment did not go through" in page.text
    assert "Nothing was charged" in page.text
    for words in DECLINES[card]:
        assert words in page.text
    assert "Pay $33.33 now" in buttons(page)
    assert ways(page)[-1] == "*Another card"
    token = {"csrf_token": page.hidden("csrf_token"), "card": "new"}
    visit.post(f"{where}/pay", token, 303)
    till.gateway.pay_page(till.page(1))
    visit.get(f"{where}/return", 303)
    assert "Added to your plan" in visit.get(where).text
    assert till.holds(buyer) == ["salesforce"]


def test_the_same_card_may_be_tried_again_there(sign_in, till, visit):
    sign_in("pm_card_chargeCustomerFail")
    press(visit, CONNECTOR)
    page = visit.get(PURCHASE)
    assert ways(page) == ["Visa ending 0341", "*Another card"], "the one that failed is not chosen"
    card = next(e.get("value") for e in page.all("input", name="card"))
    act(visit, "pay", card=card)
    assert [a.status for a in till.attempts(1)] == ["declined", "declined"]


@pytest.mark.parametrize("choice", ["999", "nonsense", "-1", "new "])
def test_a_choice_that_is_none_charges_nothing(choice, sign_in, till, visit):
    sign_in("pm_card_visa")
    reply = press(visit, CONNECTOR, 422, card=choice)
    assert "That card is not saved any more" in reply.text
    assert till.world.rows(PurchaseRow) == 0


def test_saved_cards_and_another_one_are_offered_and_the_default_is_chosen(
    sign_in, world, till, visit
):
    buyer = sign_in("pm_card_mastercard")
    assert ways(visit.get(CONNECTOR)) == ["*Mastercard ending 4444", "Another card"]
    reply = press(visit, CONNECTOR, card="new")
    assert reply.headers["Location"].startswith("https://checkout.test/")
    till.gateway.pay_page(till.page(1))
    visit.get(f"{PURCHASE}/return", 303)
    assert ways(visit.get(PACK)) == [
        "*Mastercard ending 4444", "Visa ending 4242", "Another card",
    ]  # fmt: skip
    assert till.cards(buyer) == [("4444", True), ("4242", False)]


def test_the_bank_asks_on_its_own_page_and_leads_back(sign_in, till, visit):
    buyer = sign_in("pm_card_authenticationRequired")
    press(visit, CONNECTOR)
    page = visit.get(PURCHASE)
    assert "Your bank wants to check that it is you" in page.text
    [link] = [a for a in page.all("a") if page.words(a) == "Continue to your bank"]
    [attempt] = till.attempts(1)
    assert link.get("href") == f"https://bank.test/{attempt.reference}"
    till.gateway.pass_challenge(attempt.reference)
    visit.get(f"{PURCHASE}/return?payment_intent=pi_of_somebody_else", 303)
    assert "Added to your plan" in visit.get(PURCHASE).text
    assert till.holds(buyer) == ["salesforce"]


def test_a_failed_check_by_the_bank_is_told_as_such(sign_in, till, visit):
    sign_in("pm_card_authenticationRequired")
    press(visit, CONNECTOR)
    till.gateway.pass_challenge(till.attempts(1)[0].reference, ok=False)
    visit.get(f"{PURCHASE}/return", 303)
    page = visit.get(PURCHASE)
    assert "Your bank could not confirm that it was you" in page.text
    assert "Pay $33.33 now" in buttons(page)


def test_too_near_the_end_for_a_new_card_says_until_when(sign_in, world, visit):
    sign_in(None)
    world.now = datetime(2026, 4, 30, 23, 40, tzinfo=UTC)
    visit.sign_in("owner@account1.test")
    reply = press(visit, PACK, 422)
    assert "A new card cannot be used for this just now" in reply.text
    assert "00:00 UTC" in reply.text
    assert world.rows(PurchaseRow) == 0


def test_a_hosted_page_that_does_not_open_is_said_and_leaves_nothing(sign_in, till, visit):
    sign_in(None)
    till.gateway.fail_next("open_checkout", Fault.OUTAGE)
    reply = press(visit, CONNECTOR, 503)
    assert "Payments are not available at the moment" in reply.text
    assert "A payment is not finished" not in visit.get("/settings/billing/add-ons").text


def test_others_neither_see_nor_move_it(sign_in, world, till, app, visit):
    buyer = sign_in(None)
    press(visit, CONNECTOR)
    world.account()
    stranger = Visitor(app.test_client())
    stranger.sign_in("owner@account2.test")
    token = {"csrf_token": stranger.get("/settings/billing/add-ons/salesforce/purchase")
             .hidden("csrf_token")}  # fmt: skip
    for path in ("", "/return"):
        stranger.get(PURCHASE + path, 404)
    for what in ("pay", "stop", "check"):
        stranger.post(f"{PURCHASE}/{what}", token | {"card": "new"}, 404)
    world.member(buyer.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    page = reader.get(PURCHASE)
    assert "Your payment is not finished" in page.text
    assert buttons(page) == []
    assert not [a for a in page.all("a") if "checkout.test" in (a.get("href") or "")]
    assert till.row(1).status == "reserved"


def test_a_purchase_there_never_was(sign_in, visit):
    sign_in("pm_card_visa")
    for path in ("999", "0", "999/return", "99999999999999999999"):
        visit.get(f"/settings/billing/purchases/{path}", 404)
