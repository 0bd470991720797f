"""A consumer in Germany buys, stops and keeps, on a phone in the dark, with and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.domain.legal import CustomerType
from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound

CONNECTOR = "Salesforce connector"
BUYS = "Zahlungspflichtig bestellen – 33,33 $ jetzt"
KEEPS = "Zahlungspflichtig bestellen – 0,00 $ jetzt, 50,00 $ am 01.05.2026"


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def consumer(request, stack, open_page) -> tuple[Portal, int]:
    actor = stack.world.account(country="DE", customer_type=CustomerType.CONSUMER)
    page = open_page(width=390, scripts=request.param, scheme="dark")
    portal = Portal(page, stack.url)
    return portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test"), actor.account_id


def test_a_consumer_ticks_buys_reads_it_again_stops_and_keeps(consumer, stack):
    portal, account = consumer
    portal.open("add-ons/salesforce/purchase")
    button = portal.page.get_by_role("button", name=BUYS)
    expect(button).to_have_attribute("lang", "de")
    box = portal.page.get_by_role("checkbox", name=re.compile("^I ask you to start before"))
    expect(box).not_to_be_checked()
    button.click()
    expect(button, "the browser asks for the box").to_be_visible()
    assert stack.charges(account) == []
    box.check()
    button.click()
    receipt = portal.page.locator("#purchases-consents")
    expect(receipt).to_contain_text("You can withdraw from this contract within 14 days")
    expect(receipt).to_contain_text(BUYS)
    assert stack.charges(account) == [(3333, "usd")]
    portal.open("add-ons/active")
    portal.row(CONNECTOR).get_by_role("link", name="Cancel").click()
    portal.page.get_by_role("button", name="Cancel add-on").click()
    keep = portal.row(CONNECTOR).get_by_role("button", name=KEEPS)
    expect(keep).to_be_visible()
    expect(portal.row(CONNECTOR).get_by_role("switch")).to_have_count(0)
    keep.click()
    expect(portal.row(CONNECTOR)).to_contain_text("renews 1 May 2026")


def test_what_a_consumer_reads_fits_and_can_be_read(stack, open_page):
    actor = stack.world.account(country="DE", customer_type=CustomerType.CONSUMER)
    portal = Portal(open_page(), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    portal.open("add-ons/salesforce/purchase")
    expect(portal.page.get_by_role("button", name=BUYS)).to_be_visible()
    sound(portal.page)
