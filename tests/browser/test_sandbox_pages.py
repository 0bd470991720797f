"""The sandbox's hosted pages, which a buyer is sent to: sound, and saying that no card is real."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.soundness import follow, sound


def session(stack, **more):
    """An open Checkout that leads back to the portal's sign-in page."""
    line = {"currency": "usd", "unit_amount": 1500, "product_data": {"name": "Message pack"}}
    given = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": line}],
        "success_url": f"{stack.url}/sign-in?done=1",
        "cancel_url": f"{stack.url}/sign-in?back=1",
        "allowed_payment_method_types": ["card"],
        "expires_at": int(time.time()) + 1800,
    }
    return stack.stripe.checkout.sessions.create(given | more)


def honest(page: Page) -> None:
    sound(page)
    expect(page.locator("body")).to_contain_text(
        re.compile("no real card is charged", re.IGNORECASE)
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_card_is_declined_then_another_pays(stack, open_page, scripts):
    page = open_page(scripts=scripts)
    page.goto(session(stack).url)
    page.get_by_label("Card number").fill("4000 0000 0000 9995")
    page.get_by_label("Expiry date").fill("12/34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay $15.00").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay $15.00").click()
    page.wait_for_url("**/sign-in?done=1")


def test_every_state_of_the_page_is_sound(stack, open_page):
    page = open_page()
    opened = session(stack)
    page.goto(opened.url)
    honest(page)
    page.get_by_label("Card number").fill("4242")
    follow(page.get_by_role("button", name="Pay $15.00"))
    honest(page)
    page.goto(f"{opened.url}?card=visa")
    page.get_by_role("button", name="Pay $15.00").click()
    page.wait_for_url("**/sign-in?done=1")
    page.goto(opened.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("All done")
    honest(page)
    page.goto(f"{opened.url}x")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    honest(page)
    gone = session(stack)
    stack.stripe.checkout.sessions.expire(gone.id)
    page.goto(gone.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page has expired")
    honest(page)


def saving(stack):
    """An open page that takes a card and charges nothing."""
    return stack.stripe.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "usd",
            "allowed_payment_method_types": ["card"],
            "success_url": f"{stack.url}/sign-in?done=1",
            "expires_at": int(time.time()) + 1800,
        }
    )


def test_yen_and_the_bank_page_are_sound(stack, open_page):
    page = open_page()
    price = {"currency": "jpy", "unit_amount": 12800, "product_data": {"name": "Message pack"}}
    page.goto(session(stack, line_items=[{"quantity": 1, "price_data": price}]).url)
    honest(page)
    page.get_by_role("button", name="Every time 3184").click()
    page.get_by_role("button", name="Pay ¥12,800").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your payment")
    expect(page.get_by_role("main")).to_contain_text("¥12,800 with the card ending in 3184")
    honest(page)
    bank = page.url
    page.get_by_role("button", name="Fail authentication").click()
    expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    page.goto(bank)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing to confirm")
    honest(page)
    page.get_by_role("link", name="Back to the shop").click()
    expect(page.get_by_role("button", name="Pay ¥12,800")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_card_is_saved_after_the_bank_was_asked(stack, open_page, scripts):
    page = open_page(scripts=scripts)
    opened = saving(stack)
    page.goto(opened.url)
    page.get_by_role("button", name="Until it is saved 3155").click()
    expect(page.get_by_label("Card number")).to_have_value("4000 0025 0000 3155")
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your card")
    page.get_by_role("button", name="Complete authentication").click()
    page.wait_for_url("**/sign-in?done=1")
    page.goto(opened.url)
    expect(page.get_by_role("main")).to_contain_text("The card has been saved")


def test_every_wrong_field_is_said_at_once_and_the_first_has_the_focus(stack, open_page):
    page = open_page()
    page.goto(saving(stack).url)
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry date").fill("13/40")
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    expect(page.get_by_label("Expiry date")).to_have_accessible_description(
        "Your card's expiration month is invalid."
    )
    expect(page.get_by_label("Security code")).to_have_accessible_description(
        "Your card's security code is incomplete."
    )
    expect(page.get_by_label("Expiry date")).to_be_focused()
    honest(page)


@pytest.mark.parametrize("answer", ["Complete authentication", "Fail authentication"])
def test_three_d_secure_leads_back(stack, open_page, answer):
    page = open_page()
    page.goto(f"{session(stack).url}?card=threeDSecure2Required")
    pay = page.get_by_role("button", name="Pay $15.00")
    if not page.get_by_label("Card number").input_value():
        page.get_by_label("Card number").fill("4000 0000 0000 3220")
        page.get_by_label("Expiry date").fill("12/34")
        page.get_by_label("Security code").fill("123")
    pay.click()
    honest(page)
    page.get_by_role("button", name=answer).click()
    if answer.startswith("Complete"):
        page.wait_for_url("**/sign-in?done=1")
    else:
        expect(page.get_by_role("alert")).to_be_visible()
        honest(page)
