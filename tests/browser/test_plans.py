"""Changing the plan in a real browser, with and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.services.changing import Office
from tests.services.paying import Till

CHECKED = ("plans", "plans?cycle=annual", "plans/business/monthly", "plans/growth/annual",
           "plans/starter/monthly")  # fmt: skip


@pytest.fixture
def office(stack) -> Office:
    return Office(stack.world, Till(stack.world))


@pytest.fixture
def signed_in(stack, office, open_page):
    """A Growth account that has paid for April, 20 of 30 days before the boundary."""

    def sign_in(**look) -> tuple[Portal, int]:
        actor = office.account()
        stack.world.buy(actor, "salesforce")
        portal = Portal(open_page(**look), stack.url)
        key = stack.world.key_of(actor)
        return portal.sign_in(f"owner@account{key}.test"), actor.account_id

    return sign_in


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_upgrade_then_downgrade_and_take_it_back(scripts, signed_in, stack):
    portal, account = signed_in(scripts=scripts)
    page = portal.open("plans").page
    page.get_by_role("article", name="Business", exact=True).get_by_role("link").click()
    expect(page.locator("#plans-quote")).to_contain_text("Growth, unused")
    page.get_by_role("button", name="Pay $133.33 now").click()
    expect(page.locator("#plans-receipt")).to_contain_text("You paid $133.33")
    assert stack.charges(account)[-1] == (13333, "usd")
    portal.open("plans")
    page.get_by_role("article", name="Growth", exact=True).get_by_role("link").click()
    page.get_by_role("button", name="Change on 1 May 2026").click()
    expect(page.locator("#plans-agreed")).to_contain_text("Your plan changes on 1 May 2026")
    page.get_by_role("button", name="Keep Business").click()
    expect(page.locator("main")).to_contain_text("Your plan stays as it is.")
    assert len(stack.charges(account)) == 3


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_the_cycle_switch_shows_the_other_prices(scripts, signed_in):
    portal, _ = signed_in(scripts=scripts)
    page = portal.open("plans").page
    page.get_by_label("Annual").check()
    show = page.get_by_role("button", name="Show")
    if show.is_visible():
        show.click()
    business = page.get_by_role("article", name="Business", exact=True)
    expect(business).to_contain_text("$2,870.00")
    expect(business).to_contain_text("20 % less")
    page.get_by_role("article", name="Growth", exact=True).get_by_role("link").click()
    expect(page.locator("#plans-consequences")).to_contain_text("Switches to $480.00 / year")


def test_the_pages_are_accessible_and_fit(signed_in):
    portal, _ = signed_in()
    for path in CHECKED:
        sound(portal.open(path).page)
