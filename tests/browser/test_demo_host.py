"""The demo host's member reaches the cap, is offered the pack, buys it, and chats on."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from portal.domain.keys import Access
from portal.host.app import create_host
from portal.host.billing import Billing
from portal.services import keys
from tests.browser.soundness import axe, sideways
from tests.support.world import APRIL_11


@pytest.fixture
def chat(stack):
    """The address of a host whose account has used nothing of its 100,000 messages."""
    world = stack.world
    world.now = APRIL_11
    stack.keep_time()
    key = world.key_of(world.account())
    with world.session() as session:
        given = "host", Access.WRITE, world.wall
        made = keys.create(session, world.scope, *given, opens_sessions=True)
    billing = Billing(stack.url, made.written, f"account{key}", f"owner@account{key}.test")
    server = make_server("127.0.0.1", 0, create_host(billing), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_the_cap_the_pack_and_on(chat, open_page, scripts):
    page = open_page(scripts=scripts)
    page.goto(chat)
    page.get_by_label("Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    talk = page.get_by_role("list", name="Conversation")
    expect(talk).to_contain_text("You wrote 5 letters.")
    expect(page.locator("main")).to_contain_text("1 of 100,000 messages used")
    everybody = page.get_by_role("button", name="Write to 60,000 customers")
    everybody.click()
    expect(talk).to_contain_text("All written.")
    everybody.click()
    stopped = page.get_by_role("alert", name="Message limit")
    expect(stopped).to_contain_text("50,000 message pack would be enough")
    expect(page.locator("main")).to_contain_text("60,001 of 100,000 messages used")
    if scripts:  # axe is a script itself: on a page that runs none it never answers
        assert axe(page) == []
        assert sideways(page) <= 0
    page.get_by_role("button", name="Get 50,000 message pack").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Pay $29.00 now").click()
    expect(page.locator("#purchases-receipt")).to_contain_text("Added to your plan")
    page.goto(chat)
    page.get_by_role("button", name="Write to 60,000 customers").click()
    expect(page.locator("main")).to_contain_text("120,001 of 150,000 messages used")
