"""More of it, less of it, later, and not at all: in a real browser, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import follow, sound
from tests.browser.test_time_passing import owner_of, to_the_next_bill
from tests.support.world import APRIL_11

SEATS, PACK, CONNECTOR = "5 extra members", "100,000 message pack", "Salesforce connector"
BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])


@pytest.fixture(autouse=True)
def in_time(stack):
    stack.world.now = APRIL_11
    stack.keep_time()


def ask_for(portal: Portal, quantity: int, scripts: bool) -> None:
    """Type another quantity; without scripts a button shows what it costs."""
    portal.page.get_by_label("Quantity").fill(str(quantity))
    if not scripts:
        portal.page.get_by_role("button", name="Update").click()


@BOTH
def test_more_seats_now_and_fewer_at_the_boundary(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    portal.choose(SEATS).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    portal.open("add-ons/active")
    portal.row(SEATS).get_by_role("link", name="Change quantity").click()
    ask_for(portal, 3, scripts)
    portal.page.get_by_role("button", name="Pay $60.00 now").click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("You have 3 now")
    assert stack.charges(account)[-1] == (6000, "usd")
    portal.open("usage")
    assert portal.meter("Members") == 25
    portal.open("add-ons/active")
    portal.row(SEATS).get_by_role("link", name="Change quantity").click()
    ask_for(portal, 1, scripts)
    portal.page.get_by_role("button", name="Change to 1 on 1 May 2026").click()
    expect(portal.row(SEATS)).to_contain_text("1 from 1 May 2026 on")
    expect(portal.row(SEATS)).to_contain_text("$45.00")
    to_the_next_bill(portal)
    assert stack.charges(account)[-1] == (14400, "usd")
    portal.open("usage")
    assert portal.meter("Members") == 15


@BOTH
def test_bought_for_later_and_taken_back(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    portal.open("add-ons/messages_100k/purchase")
    portal.page.get_by_label("At the next cycle").check()
    if not scripts:
        portal.page.get_by_role("button", name="Update").click()
    expect(portal.page.locator("#addons-promise")).to_contain_text("1 Jun 2026")
    portal.page.get_by_role("button", name="Pay $49.00 now").click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("Starts on 1 May 2026")
    portal.open("add-ons/active")
    portal.row(PACK).get_by_role("link", name="Take back").click()
    expect(portal.page.locator("main")).to_contain_text("$49.00 goes back to the card")
    portal.page.get_by_role("button", name="Take it back").click()
    expect(portal.page.locator("#active-history")).to_contain_text("Taken back before it started")
    portal.open("invoices")
    expect(portal.page.locator("main")).to_contain_text("CN0")
    assert stack.charges(account) == [(4900, "usd")]


@BOTH
def test_the_plan_is_cancelled_kept_and_cancelled(stack, open_page, scripts):
    portal, _ = owner_of(stack, open_page, scripts)
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    for last in (False, True):
        portal.open("plans/cancel")
        expect(portal.page.locator("main")).to_contain_text(CONNECTOR)
        portal.page.get_by_role("button", name="Cancel plan").click()
        expect(portal.page.locator("main")).to_contain_text("1 May 2026")
        if not last:
            portal.open("plans")
            portal.page.get_by_role("button", name="Keep ").first.click()
    portal.open("clock")
    portal.page.get_by_role("button", name="31 days on").click()
    expect(portal.page.locator("main")).to_contain_text("It is now")
    portal.open("add-ons")
    expect(portal.page.locator("main")).to_contain_text("ended")


def test_every_page_of_it_is_sound(stack, open_page):
    portal, _ = owner_of(stack, open_page)
    portal.choose(SEATS).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    portal.open("add-ons/messages_100k/purchase?quantity=1&start=next_cycle")
    portal.paying_button.click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    sound(portal.page)
    portal.open("add-ons/active")
    sound(portal.page)
    seats = portal.row(SEATS).get_by_role("link", name="Change quantity").get_attribute("href")
    for quantity in (1, 1, 4):
        portal.page.goto(f"{portal.url}{seats}?quantity={quantity}")
        sound(portal.page)
    portal.open("add-ons/active")
    follow(portal.row(PACK).get_by_role("link", name="Take back"))
    sound(portal.page)
    portal.page.get_by_role("button", name="Take it back").click()
    portal.open("invoices")
    sound(portal.page)
    follow(portal.page.get_by_role("link", name="CN0").first)
    sound(portal.page)
    portal.open("plans/cancel")
    sound(portal.page)
    portal.page.get_by_role("button", name="Cancel plan").click()
    for path in ("plans", "add-ons", "add-ons/active"):
        portal.open(path)
        sound(portal.page)
