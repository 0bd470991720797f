"""Somebody of the staff in a browser, who begins a support view from an account's page."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from portal.domain.access import Actor
from tests.browser.stack import Stack
from tests.browser.test_staff_pages import set_up

REASON, TICKET = "A figure on the page is wrong.", "T-42"
STEP = timedelta(seconds=30)


def at_desk(page: Page, stack: Stack, mail: str) -> Page:
    """Signed in as staff."""
    set_up(page, stack, mail)
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page).to_have_title(re.compile("Accounts"))
    stack.world.now += STEP
    return page


def found(page: Page, stack: Stack, actor: Actor) -> None:
    """From the search to the account's page."""
    name = f"Account{stack.world.key_of(actor)}"
    page.goto(f"{stack.url}/staff/accounts")
    page.get_by_label("Find an account").fill(name)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def begin(page: Page) -> None:
    """On the account's page: the form filled in and sent."""
    page.get_by_role("radio", name=re.compile("Owner$")).check()
    form = page.locator("#accounts-start")
    form.get_by_label("Reason").fill(REASON)
    form.get_by_label("Ticket").fill(TICKET)
    form.get_by_role("button", name="Start support view").click()
    expect(banner(page)).to_be_visible()


def banner(page: Page) -> Locator:
    return page.get_by_role("region", name="Support view", exact=True)


def look(page: Page, stack: Stack, actor: Actor, mail: str) -> None:
    """All of it: a support view is on."""
    found(at_desk(page, stack, mail), stack, actor)
    begin(page)
