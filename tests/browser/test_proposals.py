"""Support proposes in one browser; the customer sees it in another, and buys or declines."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.browser.test_staff_pages import set_up
from tests.browser.test_ways_to_pay import both

PACK = "2 × 100,000 message pack"


def propose(stack, open_page, scripts: bool, mail: str, account: int):
    """Support's browser, at the page of proposals, where one has just been made."""
    page = open_page(scripts=scripts)
    set_up(page, stack, mail)
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page).to_have_title(re.compile("Accounts"))
    page.goto(f"{stack.url}/staff/accounts/{account}")
    page.get_by_role("link", name="Propose an add-on").click()
    page.get_by_label("Add-on", exact=True).select_option(label="100,000 message pack")
    page.get_by_label("Quantity").fill("2")
    page.get_by_label("A word to the customer").fill("For your campaign in May.")
    page.get_by_role("button", name="Show what it costs").click()
    expect(page.locator("#proposals-staff")).to_contain_text("$98.00")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_role("article", name=PACK)).to_contain_text("Waits for an answer")
    return page


@both
def test_what_support_proposes_is_bought_by_the_customer(stack, open_page, scripts):
    actor = stack.world.account()
    desk = propose(stack, open_page, scripts, f"proposes{scripts}@staff.test", actor.account_id)
    portal = Portal(open_page(scripts=scripts), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    portal.page.get_by_role("link", name=f"See what it costs {PACK}").click()
    portal.page.get_by_role("button", name="Pay $98.00 now").click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$98.00")
    desk.reload()
    expect(desk.get_by_role("article", name=PACK)).to_contain_text("Bought")
    assert stack.charges(actor.account_id) == [(9800, "usd")]


def test_the_pages_are_sound_and_a_no_is_taken(stack, open_page):
    actor = stack.world.account()
    desk = propose(stack, open_page, True, "proposes@staff.test", actor.account_id)
    sound(desk)
    page = open_page()
    portal = Portal(page, stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    expect(page.locator("#layouts-proposals")).to_contain_text("For your campaign in May.")
    sound(page)
    page.get_by_role("button", name=f"No, thank you {PACK}").click()
    expect(page.locator("#layouts-flash")).to_contain_text("The proposal is declined")
    expect(page.locator("#layouts-proposals")).to_have_count(0)
    desk.reload()
    expect(desk.get_by_role("article", name=re.compile(PACK))).to_contain_text("Declined")
