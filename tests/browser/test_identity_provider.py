"""Signing in by an identity provider in a browser: to it, back, linked and unlinked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from portal.domain.access import StaffRole
from portal.models.accounts import PersonRow
from portal.services import staff
from portal.services.safekeeping import Safe
from tests.browser.soundness import follow, sound
from tests.browser.stack import MASTER, Stack
from tests.support.database import clone
from tests.support.identity_provider import IdentityProvider
from tests.support.world import APRIL_11, PASSWORD

SECURITY = "/settings/billing/security"


@pytest.fixture(scope="module")
def portal(demo_template, tmp_path_factory) -> Iterator[Stack]:
    """Time stands still in both."""
    with clone(demo_template) as database:
        provider = IdentityProvider(APRIL_11.timestamp)
        folder = tmp_path_factory.mktemp("recorded")
        stack = Stack(database, folder, provider.settings()).start()
        stack.world.now = APRIL_11
        stack.provider = provider  # type: ignore[attr-defined]
        yield stack
        stack.stop()
        provider.stop()


@pytest.fixture
def provider(portal) -> IdentityProvider:
    return portal.provider


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_linked_signed_in_by_and_unlinked(portal, provider, open_page, scripts):
    world = portal.world
    mail = f"owner@account{world.key_of(world.account(card=None))}.test"
    provider.who = {"sub": mail, "email": "elsewhere@acme.test", "email_verified": True}
    page = open_page(scripts=scripts)
    page.goto(f"{portal.url}/sign-in")
    sound(page, scripts)
    page.get_by_role("button", name="Continue with Acme").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    sound(page, scripts)
    page.get_by_role("link", name="Back to signing in").click()
    page.get_by_label("E-mail").fill(mail)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("add-ons"))
    page.goto(f"{portal.url}{SECURITY}")
    sound(page, scripts)
    follow(page.get_by_role("link", name="Link Continue with Acme"))
    sound(page, scripts)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Link").click()
    expect(page.locator("#layouts-flash")).to_contain_text("Linked")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Continue with Acme").click()
    expect(page).to_have_url(re.compile("add-ons"))
    page.goto(f"{portal.url}{SECURITY}")
    follow(page.get_by_role("link", name="Unlink Continue with Acme"))
    sound(page, scripts)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Unlink").click()
    expect(page.locator("#layouts-flash")).to_contain_text("Unlinked")


def test_the_first_time_by_a_verified_address_and_back_where_one_was_going(
    portal, provider, open_page
):
    world = portal.world
    actor = world.account(card=None)
    mine = update(PersonRow).where(PersonRow.id == actor.person_id)
    world.change(mine.values(password_hash=None))
    mail = f"owner@account{world.key_of(actor)}.test"
    provider.who = {"sub": mail, "email": mail, "email_verified": True}
    page = open_page()
    page.goto(f"{portal.url}/settings/billing/usage")
    page.get_by_role("button", name="Continue with Acme").click()
    expect(page).to_have_url(f"{portal.url}/settings/billing/usage")


def test_staff_come_in_with_both_steps_of_the_provider_and_confirm_there(
    portal, provider, open_page
):
    world, mail = portal.world, "ann@staff.test"
    with world.session() as session:
        who = mail, "Ann", world.wall, Safe(MASTER), StaffRole.ADMIN
        staff.add(session, world.scope, *who)
    page = open_page()
    provider.who = {"sub": mail, "email": mail, "email_verified": True, "amr": ["pwd"]}
    page.goto(f"{portal.url}/staff/sign-in")
    sound(page, True)
    page.get_by_role("button", name="Continue with Acme Staff").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    sound(page, True)
    page.get_by_role("link", name="Staff sign-in").click()
    provider.who |= {"amr": ["mfa"]}
    provider.since = int(APRIL_11.timestamp()) - 3600
    page.get_by_role("button", name="Continue with Acme Staff").click()
    expect(page).to_have_title(re.compile("Accounts"))
    follow(page.get_by_role("link", name="API keys"))
    sound(page, True)
    page.get_by_role("button", name="Confirm that it is you").click()
    expect(page.locator("#layouts-flash")).to_contain_text("Confirmed")
    expect(page.get_by_role("button", name="Confirm that it is you")).to_have_count(0)


def test_a_provider_that_is_slow_leaves_a_page_with_a_link(portal, provider, open_page):
    """The page that leads on, seen by stopping the browser there."""
    page = open_page()
    page.route(f"{provider.issuer}/**", lambda route: route.abort())
    page.goto(f"{portal.url}/sign-in")
    with page.expect_response(f"{portal.url}/sign-in/oidc") as told:
        page.get_by_role("button", name="Continue with Acme").click()
    assert told.value.headers["refresh"].startswith(f"0;url={provider.issuer}/authorize?")
