"""Staff in a browser: from their link to a replayed message, every page on the way sound."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from portal.domain.access import StaffRole
from portal.domain.keys import Access
from portal.models.webhooks import WebhookMessageRow
from portal.services import keys, staff, webhooks
from portal.services.safekeeping import Safe
from tests.browser.soundness import follow, sound
from tests.browser.stack import MASTER
from tests.services.staffing import STAFF_PASSWORD


@pytest.fixture(scope="module")
def prepared(stack):
    """A key, an endpoint, and two messages that did not arrive."""
    world = stack.world
    with world.session() as session:
        webhooks.add(session, world.scope, "https://host.test/hook", [], world.wall)
        keys.create(session, world.scope, "chat", Access.WRITE, world.wall)
    world.buy(world.account(), "salesforce")
    with world.session() as session:
        session.execute(update(WebhookMessageRow).values(status="failed", answer="no route"))
        session.commit()


def link(stack, mail: str) -> str:
    world, safe = stack.world, Safe(MASTER)
    with world.session() as session:
        return staff.add(session, world.scope, mail, "Ann", world.wall, safe, StaffRole.ADMIN)


def set_up(page: Page, stack, mail: str) -> str:
    """Signed in; the authenticator's secret."""
    page.goto(f"{stack.url}/staff/set-up/{link(stack, mail)}")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("New password").fill(STAFF_PASSWORD)
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(stack.world.now))
    return secret


def test_every_staff_page_is_sound(stack, prepared, open_page):
    page = open_page()
    page.goto(f"{stack.url}/staff/sign-in")
    sound(page)
    set_up(page, stack, "light@staff.test")
    sound(page)
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page).to_have_title(re.compile("Accounts"))
    follow(page.get_by_role("link", name="API keys"))
    for way in ("Rotate chat", "Revoke chat"):
        sound(page)
        follow(page.get_by_role("link", name=way))
        sound(page)
        page.get_by_role("link", name="Back to API keys").click()
    page.get_by_role("link", name="Messages").click()
    for way in ("Rotate secret", "Remove", "Add an endpoint"):
        sound(page)
        follow(page.get_by_role("link", name=way))
        sound(page)
        page.get_by_role("link", name="Back to messages").click()
    page.goto(f"{stack.url}/staff/nothing-here")
    sound(page)


def test_a_key_is_made_and_messages_go_again_without_scripts(stack, prepared, open_page):
    page = open_page(scripts=False)
    set_up(page, stack, "plain@staff.test")
    page.get_by_role("button", name="Set up and sign in").click()
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("importer")
    page.get_by_role("radio", name="Read and write").check()
    page.get_by_role("button", name="Make key").click()
    expect(page.locator("#api_keys-made code")).to_contain_text("portal_development_")
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("article", name="importer")).to_contain_text("never used")
    page.get_by_role("link", name="Messages").click()
    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name=re.compile("^Replay msg_")).first.click()
    expect(page.locator("#layouts-flash")).to_contain_text("It is sent once more.")
    page.get_by_role("button", name=re.compile("^Replay all failed")).click()
    expect(page.locator("#layouts-flash")).to_contain_text("sent once more")
    hook = page.get_by_role("article", name="https://host.test/hook")
    expect(hook).not_to_contain_text("failed")
    page.get_by_role("button", name="Pause https://host.test/hook").click()
    expect(hook).to_contain_text("Paused")
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Address").fill("https://other.test/hook")
    page.get_by_role("checkbox", name="invoice.paid").check()
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.locator("#endpoints-secret code")).to_contain_text("whsec_")
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("article", name="https://other.test/hook")).to_contain_text(
        "invoice.paid"
    )
    page.get_by_role("link", name="Remove https://other.test/hook").click()
    page.get_by_role("button", name="Remove this endpoint").click()
    expect(page.get_by_role("article", name="https://other.test/hook")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title(re.compile("Staff sign-in"))
