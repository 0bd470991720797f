"""Auto-recharge agreed to, paused and resumed, and a ceiling that stops a purchase."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.browser.test_time_passing import owner_of
from tests.support.world import APRIL_11

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])


@pytest.fixture(autouse=True)
def in_time(stack):
    stack.world.now = APRIL_11
    stack.keep_time()


def agree(portal: Portal) -> None:
    portal.open("auto-recharge/messages")
    portal.page.get_by_label("Monthly maximum").fill("60.00")
    portal.page.get_by_role("button", name="Continue").click()
    portal.page.get_by_role("button", name="Agree and turn on, up to $60.00 a month").click()
    expect(portal.page.get_by_role("region", name="Messages")).to_contain_text("On")


@BOTH
def test_agreed_to_paused_and_resumed(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    agree(portal)
    messages = portal.page.get_by_role("region", name="Messages")
    messages.get_by_role("button", name="Pause").click()
    expect(messages.get_by_role("button", name="Resume")).to_be_visible()
    messages.get_by_role("button", name="Resume").click()
    expect(messages.get_by_role("button", name="Pause")).to_be_visible()
    assert stack.charges(account) == []


@BOTH
def test_a_ceiling_stops_what_would_pass_it_and_says_so_before(stack, open_page, scripts):
    portal, account = owner_of(stack, open_page, scripts)
    portal.open("auto-recharge")
    ceiling = portal.page.locator("#recharge-ceiling")
    ceiling.get_by_label("Stop").check()
    ceiling.get_by_label("Monthly ceiling").fill("40.00")
    ceiling.get_by_role("button", name="Save").click()
    expect(portal.page.locator("main")).to_contain_text("$40.00")
    portal.choose("100,000 message pack")
    expect(portal.page.locator("main")).to_contain_text("$40.00")
    expect(portal.paying_button).to_be_disabled()
    assert stack.charges(account) == []


def test_every_page_of_it_is_sound(stack, open_page):
    portal, _ = owner_of(stack, open_page)
    for path in ("auto-recharge", "auto-recharge/messages"):
        portal.open(path)
        sound(portal.page)
    portal.page.get_by_role("button", name="Continue").click()
    expect(portal.page.locator("#recharge-consent")).to_be_visible()
    sound(portal.page)
    agree(portal)
    sound(portal.page)
