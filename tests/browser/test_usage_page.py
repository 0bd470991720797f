"""The usage page in a browser: sound everywhere, news without noise, and a way to what is short."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from portal.domain.access import Actor
from portal.domain.usage import Usage
from portal.services import usage
from tests.browser.portal_pages import Portal
from tests.browser.soundness import axe, sound
from tests.services.using import give, used

A_MINUTE = 61_000


@pytest.fixture
def owner(stack) -> Actor:
    """Of an account whose messages run out before the window ends."""
    actor = stack.world.account()
    days = [stack.world.now - timedelta(days=n) for n in range(1, 8)]
    count(stack, actor, *(used("messages", 12_300, day, channel="Website") for day in days))
    count(stack, actor, *(used("members", n, day) for n, day in enumerate(days, 4)))
    give(stack.world, actor, "sms", ("pack", 100, None))
    return actor


def count(stack, actor: Actor, *reported: Usage) -> None:
    with stack.world.session() as session:
        usage.count(session, stack.world.scope, actor.account_id, list(reported), stack.world.wall)


def opened(stack, actor: Actor, page: Page) -> Portal:
    mail = f"owner@account{stack.world.key_of(actor)}.test"
    return Portal(page, stack.url).sign_in(mail).open("usage")


def value(portal: Portal) -> Decimal:
    meter = portal.page.get_by_role("meter", name="Messages", exact=True)
    return Decimal(meter.get_attribute("value") or "0")


def test_it_is_sound_with_all_its_parts(stack, owner, open_page):
    portal = opened(stack, owner, open_page())
    for summary in portal.page.locator("details > summary").all():
        summary.click()
    sound(portal.page)
    portal.page.set_viewport_size({"width": 320, "height": 900})
    assert axe(portal.page) == []
    portal.page.set_viewport_size({"width": 1180, "height": 900})
    picture = portal.page.get_by_role("img", name="Messages, 1 Apr 2026 – 1 May 2026")
    expect(picture.locator("visible=true").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_suggested_is_bought_and_lasts(scripts, stack, owner, open_page):
    portal = opened(stack, owner, open_page(scripts=scripts))
    expect(portal.page.locator("#usage-meters")).to_contain_text("Runs out within 7 days")
    while portal.page.locator(".quota-picks a").count():
        portal.page.locator(".quota-picks a").first.click()
        portal.paying_button.click()
        expect(portal.page.locator("#purchases-receipt")).to_be_visible()
        portal.open("usage")
    expect(portal.page.locator("#usage-meters")).to_contain_text("Nothing to buy")


def test_news_come_by_themselves_and_leave_the_reader_alone(stack, owner, open_page):
    page = open_page()
    page.clock.install()
    portal = opened(stack, owner, page)
    tab = page.get_by_role("link", name="Plans", exact=True)
    tab.focus()
    count(stack, owner, used("messages", 100, stack.world.now))
    with page.expect_response("**/usage?refresh=1"):
        page.clock.run_for(A_MINUTE)
    expect(page.get_by_role("meter", name="Messages", exact=True)).to_have_attribute(
        "value", "86200.00000000"
    )
    expect(tab).to_be_focused()
    with page.expect_response("**/usage?refresh=1"):
        page.clock.run_for(A_MINUTE)
    assert value(portal) == 86_200


@pytest.mark.parametrize(
    "away",
    [
        "Object.defineProperty(document, 'hidden', {get: () => true})",
        "document.querySelector('.quota-picks a').focus()",
        "getSelection().selectAllChildren(document.querySelector('.quota'))",
    ],
)
def test_no_news_out_of_sight_or_under_the_readers_hands(away, stack, owner, open_page):
    page = open_page()
    page.clock.install()
    portal = opened(stack, owner, page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(away)
    page.clock.run_for(3 * A_MINUTE)
    assert [url for url in asked if "refresh" in url] == []
    assert value(portal) == 86_100


def test_news_that_fail_are_passed_over_in_silence(stack, owner, browser):
    """Not through open_page: htmx tells the console."""
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    opened(stack, owner, page)
    page.route("**/usage?refresh=1", lambda route: route.fulfill(status=500, body=""))
    with page.expect_response("**/usage?refresh=1"):
        page.clock.run_for(A_MINUTE)
    page.clock.run_for(1_000)
    expect(page.locator("#layouts-flash")).to_be_empty()
    expect(page.locator("#usage-meters")).to_contain_text("Runs out within 7 days")
    context.close()
