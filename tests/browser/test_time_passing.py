"""Three months in an account's life, moved through by its test clock, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from portal.web.views import clock
from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.browser.three_months import (
    CONNECTOR,
    live_three_months,
    open_unpaid_invoice,
    to_the_next_bill,
)
from tests.support.world import APRIL_11


@pytest.fixture(autouse=True)
def in_time(stack):
    stack.world.now = APRIL_11
    stack.keep_time()


def owner_of(stack, open_page, scripts=True, scheme="light", **about) -> tuple[Portal, int]:
    actor = stack.world.account(**about)
    portal = Portal(open_page(scripts=scripts, scheme=scheme), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    return portal, actor.account_id


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_long_way_of_the_clock_says_how_far_it_is(stack, open_page, scripts, monkeypatch):
    monkeypatch.setattr(clock, "SPELL_S", 0.3)
    portal, _ = owner_of(stack, open_page, scripts)
    going_on: list[Route] = []
    portal.page.route("**/clock", lambda asked: _hold_what_scripts_ask(asked, going_on))
    portal.open("clock")
    main = portal.page.locator("main")
    portal.page.get_by_label("Date and time").fill("2026-06-11T12:00")
    portal.page.get_by_role("button", name="Move to this date").click()
    expect(main).to_contain_text("On the way to 11 Jun 2026")
    portal.page.unroute("**/clock")
    for asked in going_on:
        asked.continue_()
    if not scripts:
        while portal.page.get_by_role("button", name="Go on").is_visible():
            portal.page.get_by_role("button", name="Go on").click()
    expect(main).to_contain_text("It is now 11 Jun 2026", timeout=60_000)
    expect(main).to_contain_text("2 steps were due on the way")


def _hold_what_scripts_ask(asked: Route, held: list[Route]) -> None:
    if asked.request.resource_type == "document":
        asked.continue_()
    else:
        held.append(asked)


def test_three_months_without_scripts(stack, open_page):
    """With them: Northwind, in test_make_run.py."""
    portal, account = owner_of(stack, open_page, scripts=False)
    bills = live_three_months(portal, lambda: [amount for amount, _ in stack.charges(account)])
    assert bills == [99_00 + 35_00, 99_00 + 35_00, 29_00 + 35_00]


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
    open_unpaid_invoice(portal)
    expect(portal.page.locator("main")).to_contain_text("This invoice is not paid")
    sound(portal.page)
