"""A support view in a browser: its banner on every page, in print, without scripts, and its end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from portal.domain.access import Actor
from portal.domain.support import IDLE_LIFE
from tests.browser.looking import at_desk, banner, begin, found, look
from tests.browser.soundness import WIDTHS, axe, sound

PAGES = (
    "add-ons",
    "add-ons/active",
    "plans",
    "usage",
    "wallet",
    "recharge",
    "invoices",
    "payment-methods",
    "members",
    "notifications",
    "activity",
    "support-access",
    "nothing-here",
    "security",
)
"""The last two answer 404, and 403 for being closed in a view."""
COVERED = """() => {
  const focused = document.activeElement, strip = document.querySelector("#layouts-support");
  if (focused === document.body || focused.matches(".skip") || strip.contains(focused)) return "";
  const { top } = focused.getBoundingClientRect(), { bottom } = strip.getBoundingClientRect();
  return top < bottom - 1 && scrollY > 0 ? `${focused.outerHTML.slice(0, 90)}: ${top}` : "";
}"""


@pytest.fixture(scope="module")
def actor(stack) -> Actor:
    """An owner with add-ons, a card and an invoice."""
    actor = stack.world.account()
    stack.world.buy(actor, "messages_100k")
    stack.world.buy(actor, "salesforce")
    return actor


def open_at(page: Page, stack, path: str) -> None:
    page.set_viewport_size({"width": 1180, "height": 900})
    page.goto(f"{stack.url}/settings/billing/{path}")


def fits(page: Page) -> None:
    sound(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        expect(banner(page)).to_be_in_viewport()


def test_every_page_has_the_banner_and_is_sound(stack, actor, open_page):
    page = open_page()
    at_desk(page, stack, "light@look.test")
    found(page, stack, actor)
    sound(page)
    begin(page)
    for path in PAGES:
        open_at(page, stack, path)
        expect(banner(page).get_by_role("button", name="End")).to_be_visible()
        fits(page)
    open_at(page, stack, "../../staff/support-sessions")
    expect(banner(page)).to_be_visible()
    sound(page)
    banner(page).get_by_role("button", name="End").click()
    expect(page.locator("#layouts-flash")).to_contain_text("The support view has ended.")
    expect(banner(page)).to_have_count(0)
    sound(page)


def test_without_scripts_on_a_phone_and_on_paper_too(stack, actor, open_page):
    page = open_page(scripts=False, width=390)
    look(page, stack, actor, "plain@look.test")
    for path in PAGES:
        page.goto(f"{stack.url}/settings/billing/{path}")
        expect(banner(page)).to_be_in_viewport()
        page.emulate_media(media="print")
        expect(banner(page)).to_contain_text("Support view, read-only.")
        expect(banner(page)).to_be_visible()
        expect(page.get_by_role("button", name="End", exact=True)).to_be_hidden()
        page.emulate_media(media="screen")
    banner(page).get_by_role("button", name="End").click()
    expect(banner(page)).to_have_count(0)


@pytest.mark.parametrize("width", [320, 1180])
def test_the_banner_covers_nothing_that_has_the_focus(width, stack, actor, open_page):
    page = open_page(width=width)
    look(page, stack, actor, f"keys{width}@look.test")
    page.set_viewport_size({"width": width, "height": 640})
    page.emulate_media(reduced_motion="reduce")
    for key in ("Tab", "Shift+Tab"):
        for _ in range(45):
            page.keyboard.press(key)
            assert page.evaluate(COVERED) == ""


def test_after_the_end_the_back_button_shows_nothing_of_the_customer(stack, actor, open_page):
    page = open_page()
    look(page, stack, actor, "back@look.test")
    open_at(page, stack, "invoices")
    open_at(page, stack, "members")
    banner(page).get_by_role("button", name="End").click()
    expect(page).to_have_url(re.compile("/staff/accounts/"))
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("account1.test")


def test_a_form_that_stood_open_when_the_time_ran_out_does_nothing(stack, actor, open_page):
    page = open_page()
    look(page, stack, actor, "late@look.test")
    open_at(page, stack, "members")
    page.get_by_label("E-mail").fill("new@look.test")
    stack.world.now += IDLE_LIFE
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator("#layouts-flash")).to_contain_text("The support view is over.")
    expect(banner(page)).to_have_count(0)


def test_what_is_refused_is_said_in_plain_words(stack, actor, open_page):
    """A form that the browser sends, and one that htmx does."""
    page = open_page()
    look(page, stack, actor, "refused@look.test")
    open_at(page, stack, "members")
    page.get_by_label("E-mail").fill("new@look.test")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not in a support view")
    expect(page.locator("main")).to_contain_text("Nothing was changed. This try was recorded.")
    open_at(page, stack, "payment-methods")
    page.get_by_role("button", name=re.compile("Add a card")).first.click()
    flash = page.locator("#layouts-flash")
    expect(flash).to_contain_text("Not in a support view")
    expect(flash).to_contain_text("nothing was changed")
    assert axe(page) == []
