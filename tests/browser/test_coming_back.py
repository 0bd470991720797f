"""A plan that has ended, and another that begins, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import follow, sound
from tests.services.leaving import gone
from tests.support.world import APRIL_11


@pytest.fixture
def left(stack, open_page):
    """Somebody whose Growth has ended, in a browser as it is asked for."""

    def enter(**browser: object) -> tuple[Portal, int]:
        stack.world.now = APRIL_11
        actor = stack.world.account()
        gone(stack.world, actor)
        portal = Portal(open_page(**browser), stack.url)
        portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
        return portal, actor.account_id

    return enter


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_from_any_page_to_the_plans_the_price_and_the_new_plan(scripts, left, stack):
    portal, account = left(scripts=scripts, scheme="dark" if scripts else "light")
    page = portal.open("invoices").page
    follow(page.locator("#layouts-former").get_by_role("link", name="See plans"))
    expect(portal.row("Growth").get_by_role("link", name="Start again with Growth")).to_be_visible()
    if scripts:
        sound(page)
    follow(portal.row("Business").get_by_role("link", name="Choose Business"))
    expect(page.locator("#plans-included")).to_contain_text("What is included")
    if scripts:
        sound(page)
    page.get_by_role("button", name="Pay $299.00 now").click()
    expect(page.locator("#plans-receipt")).to_contain_text("Your Business plan has begun")
    expect(page.locator("#layouts-former")).to_have_count(0)
    assert stack.charges(account) == [(29900, "usd")]
    page.go_back()
    expect(page.locator("main")).to_contain_text("This is your plan")
