"""Who lets staff look, in a browser: owners on their page, a second member of staff on theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import REASON, TICKET, banner
from tests.browser.portal_pages import Portal
from tests.browser.soundness import follow, sound
from tests.browser.stack import Stack
from tests.services.staffing import StaffDoor
from tests.support.database import clone


@pytest.fixture(scope="module")
def portal(request, demo_template, tmp_path_factory) -> Iterator[Stack]:
    """Where staff may not look for a stated reason alone."""
    with clone(demo_template) as database:
        folder, more = tmp_path_factory.mktemp("recorded"), {"support_view": request.param}
        stack = Stack(database, folder, more).start()
        yield stack
        stack.stop()


def at_desk(page: Page, stack: Stack, name: str, path: str) -> Page:
    """Staff at a page of theirs."""
    sid = StaffDoor(stack.world, f"{name.lower()}@staff.test", name=name).set_up()
    page.context.add_cookies([{"name": "staff", "value": sid, "url": stack.url}])
    page.goto(f"{stack.url}/staff/{path}")
    return page


def ask_owners(page: Page) -> None:
    form = page.locator("#accounts-ask")
    form.get_by_label("Reason").fill(REASON)
    form.get_by_label("Ticket").fill(TICKET)
    form.get_by_role("button", name="Ask the owners").click()
    expect(form).to_contain_text("there is no answer yet")


@pytest.mark.parametrize(
    ("portal", "scheme"), [("consent", "light"), ("break-glass", "dark")], indirect=["portal"]
)
def test_owners_are_asked_allow_close_and_refuse(portal, scheme, open_page):
    actor = portal.world.account(card=None)
    staff = at_desk(open_page(scheme=scheme), portal, "Dan", f"accounts/{actor.account_id}")
    sound(staff)
    ask_owners(staff)
    sound(staff)
    page = open_page(scheme=scheme)
    owner = Portal(page, portal.url).sign_in(f"owner@account{portal.world.key_of(actor)}.test")
    owner.open("support-access")
    expect(page.get_by_role("article")).to_contain_text(REASON)
    sound(page)
    page.get_by_role("button", name="Allow for 1 day").click()
    expect(page.get_by_role("article")).to_contain_text("allowed by")
    sound(page)
    staff.reload()
    sound(staff)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("article")).to_have_count(0)
    staff.reload()
    ask_owners(staff)
    page.reload()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("article")).to_have_count(0)
    page.get_by_role("radio", name="1 hour").check()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("article")).to_contain_text("allowed by")
    sound(page)


@pytest.mark.parametrize("portal", ["break-glass"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_second_member_of_staff_approves_and_the_first_begins(portal, scheme, open_page):
    actor = portal.world.account(card=None)
    ann = at_desk(open_page(scheme=scheme), portal, f"Ann{scheme}", f"accounts/{actor.account_id}")
    start = ann.locator("#accounts-start")
    start.get_by_role("radio", name=re.compile("Owner$")).check()
    start.get_by_label("Reason").fill(REASON)
    start.get_by_label("Ticket").fill(TICKET)
    start.get_by_role("button").click()
    expect(ann.locator("#accounts-approval")).to_contain_text("It waits for a second member")
    sound(ann)
    ann.goto(f"{portal.url}/staff/approvals")
    follow(ann.get_by_role("link", name=re.compile("^Decide")).first)
    expect(ann.locator("#approvals-decide")).to_contain_text("somebody else of the staff")
    sound(ann)
    ben = at_desk(open_page(scheme=scheme), portal, f"Ben{scheme}", "approvals")
    sound(ben)
    follow(ben.get_by_role("link", name=re.compile("^Decide")).first)
    sound(ben)
    ben.get_by_role("button", name="Approve").click()
    expect(ben.locator("#approvals-list")).to_contain_text("Nothing waits")
    sound(ben)
    ann.goto(f"{portal.url}/staff/accounts/{actor.account_id}")
    expect(ann.locator("#accounts-approval")).to_contain_text("approved it")
    sound(ann)
    ann.get_by_role("button", name="Begin the approved view").click()
    expect(banner(ann)).to_be_visible()
    ben.goto(f"{portal.url}/staff/activity")
    expect(ben.locator("#staff_activity-list")).to_contain_text(f"Approved that Ann{scheme} looks")
    sound(ben)
    ben.get_by_label("Account").fill("Nobody's")
    ben.get_by_role("button", name="Show").click()
    expect(ben.locator("#staff_activity-list")).to_contain_text("Nothing matches")
    sound(ben)
