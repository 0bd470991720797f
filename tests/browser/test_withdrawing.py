"""A consumer in Germany withdraws from what was bought, on a phone in the dark without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.domain.legal import CustomerType
from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound

CONNECTOR = "Salesforce connector"
HERE, CONFIRM = "Vertrag widerrufen", "Widerruf bestätigen"


@pytest.fixture
def buyer(stack, open_page):
    """Somebody who has bought the connector, in a browser as it is asked for."""

    def enter(**browser: object) -> Portal:
        actor = stack.world.account(country="DE", customer_type=CustomerType.CONSUMER)
        portal = Portal(open_page(**browser), stack.url)
        portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
        portal.open("add-ons/salesforce/purchase")
        portal.page.get_by_role("checkbox", name=re.compile("^I ask you to start")).check()
        portal.page.get_by_role("button", name=re.compile("^Zahlungspflichtig")).click()
        expect(portal.page.locator("#purchases-consents")).to_be_visible()
        return portal

    return enter


def test_two_presses_end_it_and_the_money_goes_back(buyer):
    portal = buyer(width=390, scripts=False, scheme="dark")
    portal.open("add-ons/active")
    link = portal.row(CONNECTOR).get_by_role("link", name=HERE)
    expect(link).to_have_attribute("lang", "de")
    link.click()
    section = portal.page.locator("#withdrawals-contract")
    expect(section).to_contain_text("Charged for Salesforce connector")
    expect(section).to_contain_text("You get back")
    button = section.get_by_role("button", name=CONFIRM)
    expect(button).to_have_attribute("lang", "de")
    button.click()
    expect(portal.page.get_by_text("You withdrew from the contract about")).to_be_visible()
    expect(portal.row(CONNECTOR)).to_have_count(0)
    portal.page.go_back()
    said = "There is nothing to withdraw from here any more."
    expect(portal.page.get_by_text(said)).to_be_visible()


def test_what_is_read_before_fits_and_can_be_read(buyer):
    portal = buyer()
    portal.open("add-ons/active")
    expect(portal.row(CONNECTOR).get_by_role("link", name=HERE)).to_be_visible()
    sound(portal.page)
    portal.row(CONNECTOR).get_by_role("link", name=HERE).click()
    expect(portal.page.get_by_role("button", name=CONFIRM)).to_be_visible()
    sound(portal.page)
    portal.open("plans")
    expect(portal.page.get_by_role("link", name=HERE)).to_be_visible()
    sound(portal.page)
