"""Three months in an account's life, moved through by its test clock, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.web.views import clock
from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.support.world import APRIL_11

PACK, CONNECTOR = "100,000 message pack", "Salesforce connector"


@pytest.fixture(autouse=True)
def in_time(stack):
    stack.world.now = APRIL_11
    stack.keep_time()


def owner_of(stack, open_page, scripts=True, scheme="light", **about) -> tuple[Portal, int]:
    actor = stack.world.account(**about)
    portal = Portal(open_page(scripts=scripts, scheme=scheme), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    return portal, actor.account_id


def to_the_next_bill(portal: Portal) -> None:
    portal.open("clock")
    portal.page.get_by_role("button", name="To the next bill").click()
    expect(portal.page.locator("main")).to_contain_text("It is now")


def open_invoice(portal: Portal) -> None:
    """To the page of the invoice that is not paid."""
    rows = portal.page.get_by_role("row").filter(has_text="Download PDF")
    rows.filter(has_text="To pay").get_by_role("link").first.click()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_long_way_of_the_clock_says_how_far_it_is(stack, open_page, scripts, monkeypatch):
    monkeypatch.setattr(clock, "SPELL_S", 0.3)
    portal, _ = owner_of(stack, open_page, scripts)
    portal.open("clock")
    main = portal.page.locator("main")
    portal.page.get_by_label("Date and time").fill("2026-06-11T12:00")
    portal.page.get_by_role("button", name="Move to this date").click()
    expect(main).to_contain_text("On the way to 11 Jun 2026")
    if not scripts:
        while portal.page.get_by_role("button", name="Go on").is_visible():
            portal.page.get_by_role("button", name="Go on").click()
    expect(main).to_contain_text("It is now 11 Jun 2026", timeout=60_000)
    expect(main).to_contain_text("2 steps were due on the way")


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_three_months_of_bills_a_decline_its_recovery_and_a_downgrade(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    for add_on in (PACK, CONNECTOR):
        portal.choose(add_on).click()
        expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    portal.open("add-ons/active")
    bills = portal.page.get_by_role("region", name="Your next bills")
    expect(bills).to_contain_text("$149.00")
    expect(bills).to_contain_text("$99.00")
    to_the_next_bill(portal)
    assert stack.charges(account)[-1] == (14900, "usd")
    portal.open("add-ons/active")
    expect(portal.row(CONNECTOR)).to_contain_text("1 Jun 2026")
    expect(portal.page.locator("#active-history")).to_contain_text(PACK)

    portal.open("payment-methods")
    portal.page.get_by_role("button", name="Add a card").click()
    portal.page.get_by_role("button", name="Can be saved, never charged 0341").click()
    portal.page.get_by_role("button", name="Save card").click()
    bad = portal.page.get_by_role("article", name="Visa ending 0341")
    bad.get_by_role("button", name="Make default").click()
    expect(bad).to_contain_text("Default")
    to_the_next_bill(portal)
    expect(portal.page.locator("main")).to_contain_text("A payment is overdue")
    portal.open("add-ons")
    expect(portal.card(PACK)).to_contain_text("An invoice is overdue")
    portal.page.get_by_role("link", name="See invoices and pay").click()
    open_invoice(portal)
    expect(portal.page.locator("main")).to_contain_text("The bank declined the card")
    portal.page.get_by_label("Visa ending 4242").check()
    portal.page.get_by_role("button", name="Pay $149.00 now").click()
    expect(portal.page.locator("main")).to_contain_text("is paid. Thank you.")
    assert stack.charges(account)[-1] == (14900, "usd")
    portal.open("add-ons")
    expect(portal.card(PACK).get_by_role("link", name="Add to plan")).to_be_visible()

    downgrade(portal)
    portal.open("payment-methods")
    portal.page.get_by_role("article", name="Visa ending 4242").get_by_role(
        "button", name="Make default"
    ).click()
    to_the_next_bill(portal)
    assert stack.charges(account)[-1] == (7900, "usd"), "Starter, and the connector"
    portal.open("plans")
    expect(portal.page.locator("#plans-current")).to_contain_text("Starter")
    portal.open("invoices")
    with portal.page.expect_download() as loading:
        portal.page.get_by_role("link", name="Download PDF").first.click()
    assert loading.value.path().read_bytes().startswith(b"%PDF-")


def downgrade(portal: Portal) -> None:
    portal.open("plans/starter/monthly")
    expect(portal.page.locator("main")).to_contain_text("At the end of your term, on 1 Jul 2026")
    portal.page.get_by_role("button", name="Change on 1 Jul 2026").click()
    expect(portal.page.locator("main")).to_contain_text("Your plan changes on 1 Jul 2026")


def test_every_page_of_it_is_sound(stack, open_page):
    portal, _ = owner_of(stack, open_page)
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    for path in ("add-ons/active", "invoices", "invoices/upcoming", "clock"):
        portal.open(path)
        sound(portal.page)
    portal, _ = owner_of(stack, open_page, card="pm_card_chargeCustomerFail")
    to_the_next_bill(portal)
    sound(portal.page)
    portal.open("invoices")
    open_invoice(portal)
    expect(portal.page.locator("main")).to_contain_text("This invoice is not paid")
    sound(portal.page)
