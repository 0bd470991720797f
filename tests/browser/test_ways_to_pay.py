"""Every way to pay in a real browser, by the sandbox's own pages, with and without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from portal.domain.taxes import Tax
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import InstanceRow
from tests.browser.portal_pages import Portal
from tests.browser.soundness import follow, sound
from tests.support.world import APRIL_11

CONNECTOR, PACK = "Salesforce connector", "10,000 message pack"
YEN = Tax(Decimal(10), True, "Consumption tax")
VAT = Tax(Decimal(19), False, "VAT")
both = pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])


@pytest.fixture(autouse=True)
def in_time(stack):
    """Stripe's clock goes with the world's."""
    stack.world.now = APRIL_11
    stack.keep_time()


def owner_of(stack, open_page, scripts=True, scheme="light", **about) -> tuple[Portal, int]:
    actor = stack.world.account(**about)
    portal = Portal(open_page(scripts=scripts, scheme=scheme), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    return portal, actor.account_id


def type_card(page: Page, name: str, button: str) -> None:
    """On Stripe's page: one of the test cards, then the paying button."""
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name=button).click()


def receipt(portal: Portal):
    return portal.page.locator("#purchases-receipt")


def alone(portal: Portal, stack, account: int) -> None:
    """One thing was bought, once."""
    assert stack.world.rows(InstanceRow, account_id=account, status="active") == 1
    assert stack.world.rows(InvoiceRow, account_id=account) == 1
    assert portal.open("add-ons/active").page.get_by_role("article").count() == 1


@both
def test_an_owner_without_a_card_buys_in_yen_on_the_hosted_page(stack, open_page, scripts):
    about = {"plan": "starter", "price": "starter_monthly_jpy", "currency": "jpy",
             "zone": "Asia/Tokyo", "tax": YEN, "card": None}  # fmt: skip
    portal, account = owner_of(stack, open_page, scripts, **about)
    button = portal.choose(PACK)
    expect(button).to_have_text("Pay ¥1,050 now")
    button.click()
    expect(portal.page.get_by_role("main")).to_contain_text("¥1,050")
    type_card(portal.page, "Visa 4242", "Pay ¥1,050")
    expect(receipt(portal)).to_contain_text("¥1,050")
    expect(receipt(portal)).to_contain_text("Visa ending 4242")
    assert stack.charges(account) == [(1050, "jpy")]
    alone(portal, stack, account)
    portal.open("payment-methods")
    card = portal.page.get_by_role("article", name="Visa ending 4242")
    expect(card).to_contain_text("Default")
    portal.choose(PACK).click()
    expect(receipt(portal)).to_contain_text("Added to your plan")
    assert stack.charges(account) == [(1050, "jpy")] * 2


@both
def test_a_card_that_declines_off_session_ends_with_another_card(stack, open_page, scripts):
    about = {"plan": "business", "price": "business_annual_eur", "currency": "eur",
             "zone": "Europe/Berlin", "tax": VAT, "card": "pm_card_chargeCustomerFail",
             "since": datetime(2025, 10, 31, tzinfo=UTC)}  # fmt: skip
    portal, account = owner_of(stack, open_page, scripts, **about)
    label = portal.choose(PACK).inner_text()
    portal.paying_button.click()
    alert = portal.page.get_by_role("alert").first
    expect(alert).to_contain_text("The payment did not go through")
    expect(alert).to_contain_text("Nothing was charged")
    assert stack.charges(account) == []
    portal.page.get_by_label("Another card").check()
    portal.page.get_by_role("button", name=label).click()
    amount = label.removeprefix("Pay ").removesuffix(" now")
    type_card(portal.page, "Visa 4242", f"Pay {amount}")
    expect(receipt(portal)).to_contain_text(amount)
    assert len(stack.charges(account)) == 1
    alone(portal, stack, account)


@both
def test_a_card_that_always_asks_goes_by_the_bank_and_back(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts, card="pm_card_authenticationRequired")
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("main")).to_contain_text("Your bank wants to check that it is you")
    portal.page.get_by_role("link", name="Continue to your bank").click()
    portal.page.get_by_role("button", name="Fail authentication").click()
    expect(portal.page.locator("main")).to_contain_text("could not confirm that it was you")
    portal.page.get_by_label("Visa ending 3184").check()
    portal.page.get_by_role("button", name="Pay $33.33 now").click()
    portal.page.get_by_role("link", name="Continue to your bank").click()
    portal.page.get_by_role("button", name="Complete authentication").click()
    expect(receipt(portal)).to_contain_text("$33.33")
    assert stack.charges(account) == [(3333, "usd")]
    alone(portal, stack, account)


@both
def test_an_abandoned_checkout_is_gone_on_with(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts, card=None)
    portal.choose(CONNECTOR).click()
    type_card(portal.page, "Insufficient funds 9995", "Pay $33.33")
    expect(portal.page.get_by_role("alert")).to_contain_text("insufficient funds")
    portal.page.get_by_role("link", name="Back without paying").click()
    expect(portal.page.locator("main")).to_contain_text("Your payment is not finished")
    portal.open("usage")
    portal.page.get_by_role("link", name="see the payment", exact=True).click()
    portal.page.get_by_role("link", name="Continue to payment").click()
    type_card(portal.page, "Visa 4242", "Pay $33.33")
    expect(receipt(portal)).to_contain_text("$33.33")
    assert stack.charges(account) == [(3333, "usd")]
    alone(portal, stack, account)


@both
def test_back_from_the_hosted_page_and_pay_again_is_one_purchase(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts, card=None)
    portal.choose(PACK).click()
    portal.page.get_by_role("button", name="Pay $7.00", exact=True).wait_for()
    portal.page.go_back()
    portal.page.get_by_role("button", name="Pay $7.00 now").click()
    type_card(portal.page, "Visa 4242", "Pay $7.00")
    expect(receipt(portal)).to_contain_text("$7.00")
    assert stack.charges(account) == [(700, "usd")]
    alone(portal, stack, account)


@both
def test_a_checkout_paid_after_the_cycle_turned_is_refunded_and_told(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts, card=None)
    portal.choose(CONNECTOR).click()
    visa = portal.page.get_by_role("button", name="Visa 4242")
    visa.wait_for()  # the purchase is reserved before the cycle turns
    stack.world.now = datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC)
    visa.click()
    portal.page.get_by_role("button", name="Pay $33.33").click()
    mail = f"owner@account{stack.world.count}.test"
    expect(portal.page.get_by_label("Password")).to_be_visible()  # the session has ended meanwhile
    portal.sign_in(mail)
    portal.open("invoices")
    expect(portal.page.locator("main")).to_contain_text("$33.33 was returned to your card")
    [charge] = stack.stripe.charges.list(
        {"customer": stack.world.customer(account), "limit": 3}
    ).data
    assert (charge.amount_refunded, charge.refunded) == (3333, True)
    assert stack.world.rows(InvoiceRow, account_id=account) == 0


@both
def test_a_card_is_added_and_made_the_default_and_the_old_one_removed(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    portal.open("payment-methods")
    portal.page.get_by_role("button", name="Add a card").click()
    type_card(portal.page, "Mastercard 4444", "Save card")
    expect(portal.page.locator("main")).to_contain_text("Mastercard ending 4444 was added")
    old = portal.page.get_by_role("article", name="Visa ending 4242")
    new = portal.page.get_by_role("article", name="Mastercard ending 4444")
    expect(old).to_contain_text("Growth")
    new.get_by_role("button", name="Make default").click()
    expect(new).to_contain_text("Default")
    old.get_by_role("link", name="Remove").or_(old.get_by_role("button", name="Remove")).click()
    portal.page.locator("main").get_by_role("button", name="Remove").click()
    expect(portal.page.locator("main")).to_contain_text("removed")
    expect(old).to_have_count(0)
    kept = stack.stripe.payment_methods.list({"customer": stack.world.customer(account)}).data
    assert [m.card.last4 for m in kept] == ["4444"]


def test_every_step_is_sound(stack, open_page):
    """Axe and width, wherever a purchase may stand."""
    portal, _ = owner_of(stack, open_page, card=None)
    portal.choose(CONNECTOR)
    sound(portal.page)
    portal.paying_button.click()
    follow(portal.page.get_by_role("link", name="Back without paying"))
    sound(portal.page)
    portal.open("add-ons")
    sound(portal.page)
    portal.page.get_by_role("link", name="see the payment", exact=True).click()
    portal.page.get_by_role("button", name="Do not buy").click()
    expect(portal.page.locator("main")).to_contain_text("You stopped this purchase")
    sound(portal.page)
    portal, _ = owner_of(stack, open_page, card="pm_card_chargeCustomerFail")
    portal.choose(CONNECTOR).click()
    expect(portal.page.get_by_role("alert").first).to_contain_text("did not go through")
    sound(portal.page)
    portal, _ = owner_of(stack, open_page, card="pm_card_authenticationRequired")
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("main")).to_contain_text("Continue to your bank")
    sound(portal.page)
