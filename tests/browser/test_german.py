"""The portal in German: chosen on a page, long words on a phone, and a purchase."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.browser.soundness import WIDTHS, sideways
from tests.browser.test_every_page import PAGES, holder  # noqa: F401  (a fixture)
from tests.support.world import PASSWORD

MORE = ("auto-recharge", "auto-recharge/messages", "plans", "plans/cancel", "clock")


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_chosen_read_and_bought_in(stack, open_page, scripts):
    actor = stack.world.account()
    portal = Portal(open_page(scripts=scripts), stack.url)
    page = portal.page
    page.goto(f"{stack.url}/sign-in")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_label("E-Mail").fill(f"owner@account{stack.world.key_of(actor)}.test")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add-ons")
    portal.open("add-ons/salesforce/purchase")
    page.get_by_role("button", name="Jetzt 33,33 $ zahlen").click()
    expect(page.locator("#purchases-receipt")).to_contain_text("33,33")
    assert stack.charges(actor.account_id) == [(3333, "usd")]
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_long_words_fit_every_page(stack, holder, open_page):  # noqa: F811
    portal = Portal(open_page(), stack.url).sign_in(holder["owner"])
    portal.page.get_by_role("button", name="Deutsch").click()
    expect(portal.page.locator("html")).to_have_attribute("lang", "de")
    for path in (*PAGES, *MORE):
        portal.open(path.format(**holder))
        for width in WIDTHS:
            portal.page.set_viewport_size({"width": width, "height": 900})
            assert sideways(portal.page) <= 0, (path, width)
