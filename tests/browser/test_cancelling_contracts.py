"""A contract is cancelled without signing in, without scripts too, and staff carry it out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.soundness import follow, sound
from tests.browser.stack import Stack
from tests.browser.test_staff_pages import set_up
from tests.services.declaring import Declarations
from tests.support.database import clone

HERE, CONFIRM = "Verträge hier kündigen", "jetzt kündigen"


@pytest.fixture(scope="module")
def stack(demo_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The portal where consumers in Germany buy."""
    with clone(demo_template) as database:
        folder = tmp_path_factory.mktemp("recorded")
        stack = Stack(database, folder, {"german_consumers": "1"}).start()
        yield stack
        stack.stop()
        assert stack.conformance_errors() == []


def fill(page: Page, number: str) -> None:
    """All but the kind and the day, which need nothing."""
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Account or invoice").fill(f"Account{number}")
    page.get_by_label("Contract").fill("Growth")
    page.get_by_label("E-mail").fill(f"owner@account{number}.test")


def test_on_a_phone_without_scripts_it_takes_two_presses_and_can_be_kept(stack, open_page):
    actor = stack.world.account()
    page = open_page(width=390, scripts=False, scheme="dark")
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.goto(f"{stack.url}/sign-in")
    expect(page.get_by_role("link", name=HERE)).not_to_have_attribute("lang", "de")
    page.get_by_role("button", name="English").click()
    link = page.get_by_role("link", name=HERE)
    expect(link).to_have_attribute("lang", "de")
    follow(link)
    fill(page, stack.world.key_of(actor))
    follow(page.get_by_role("button", name=CONFIRM))
    kept = page.locator("#declarations-received")
    for words in ("Ordinary cancellation", "At the earliest possible time", f"“{CONFIRM}”"):
        expect(kept).to_contain_text(words)
    with page.expect_download() as download:
        page.get_by_role("link", name="Keep it as a file").click()
    file: Path = download.value.path()
    assert "Contract: Growth" in file.read_text()
    subscription = stack.world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_are_sound_and_staff_let_the_plan_end(scheme, stack, open_page):
    actor = stack.world.account()
    page = open_page(scheme=scheme)
    page.goto(f"{stack.url}/cancel-contracts")
    follow(page.get_by_role("button", name="cancel now"))
    expect(page.get_by_text("There is a problem")).to_be_visible()
    sound(page)
    fill(page, stack.world.key_of(actor))
    follow(page.get_by_role("button", name="cancel now"))
    expect(page.locator("#declarations-received")).to_contain_text("Ada")
    sound(page)
    Declarations(stack.world).match()
    set_up(page, stack, f"{scheme}cancels@staff.test")
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page).to_have_title(re.compile("Accounts"))
    page.get_by_role("link", name=re.compile("Cancellations")).click()
    sound(page)
    page.get_by_role("link", name="Answer Ada").last.click()
    sound(page)
    page.get_by_role("radio", name=re.compile("^Let Growth of Account")).check()
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text(re.compile("^It ends on"))).to_be_visible()
    subscription = stack.world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at is not None
