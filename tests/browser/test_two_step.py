"""Two-step sign-in in a real browser, with and without scripts."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.soundness import sound
from tests.browser.test_time_passing import owner_of
from tests.support.world import APRIL_11, PASSWORD

STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def in_time(stack):
    stack.world.now = APRIL_11
    stack.keep_time()


def prove(page: Page, code: str, button: str) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_set_up_asked_for_and_turned_off(stack, open_page, scripts):
    portal, _ = owner_of(stack, open_page, scripts)
    page, mail = portal.page, portal.page.locator(".who-mail").inner_text()
    page.get_by_role("link", name=mail).click()
    page.get_by_role("link", name="Turn on").click()
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("code")).to_be_visible()
    sound(page, scripts)
    totp = pyotp.TOTP(page.locator("code").inner_text().replace(" ", ""))
    prove(page, totp.at(stack.world.now), "Turn on")
    expect(page.locator("#security-codes li")).to_have_count(10)
    sound(page, scripts)
    recovery = page.locator("#security-codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill(mail)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter a code")
    sound(page, scripts)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Continue").click()
    portal.open("security/two-step")
    sound(page, scripts)
    prove(page, totp.at(stack.world.now + STEP), "Turn two-step sign-in off")
    expect(page.locator("main")).to_contain_text("Two-step sign-in is off")
