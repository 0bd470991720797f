"""Support staff and administrators: what each may open, and what each is shown."""

from __future__ import annotations

from typing import Any

import pytest

from portal.domain.access import StaffRole
from portal.models.keys import ApiKeyRow
from portal.services import staff
from tests.web.reading import HTMX
from tests.web.staffing import KEYS, MESSAGES, AtDesk

ACCOUNTS = "/staff/accounts"


@pytest.fixture
def support(world, visit) -> AtDesk:
    return AtDesk(world, visit, role=StaffRole.SUPPORT).set_up()


def tabs(desk: AtDesk) -> list[str]:
    (nav,) = desk.visitor.get(ACCOUNTS).all("nav", aria_label="Staff pages")
    return [a.get("href") for a in nav.iter("a")]


def role(desk: AtDesk, given: StaffRole) -> Any:
    with desk.world.session() as session:
        staff.change_role(session, desk.world.scope, desk.mail, given, desk.world.wall)


def test_support_staff_make_no_key_and_so_become_no_owner(support):
    token = support.visitor.get(ACCOUNTS).hidden("csrf_token")
    typed = {"csrf_token": token, "name": "mine", "access": "write"}
    page = support.visitor.post(KEYS, typed, 403)
    assert "It takes an administrator, or another of the staff." in page.text
    assert support.world.rows(ApiKeyRow) == 0
    assert "It takes an administrator" in support.visitor.get(MESSAGES, 403, **HTMX).text


def test_each_is_shown_what_they_may_open_and_comes_in_where_both_may(support):
    shown = tabs(support)
    assert not {KEYS, MESSAGES} & set(shown)
    assert ACCOUNTS in shown
    for url in shown:
        support.visitor.get(url)
    assert support.visitor.get("/staff", 303).headers["Location"] == ACCOUNTS
    role(support, StaffRole.ADMIN)
    assert {KEYS, MESSAGES} <= set(tabs(support))


def test_a_role_that_is_taken_is_gone_at_the_next_request(desk):
    desk.visitor.get(KEYS)
    role(desk, StaffRole.SUPPORT)
    role(desk, StaffRole.SUPPORT)
    desk.visitor.get(KEYS, 403)
    said = desk.visitor.get("/staff/activity?kind=own").text
    assert said.count("Ann became support staff") == 1
