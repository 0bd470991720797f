"""Support staff and administrators: what each may open, and what each is shown."""

from __future__ import annotations

from typing import Any

import pytest

from portal.domain.access import StaffRole
from portal.models.keys import ApiKeyRow
from portal.services import staff
from tests.web.guarding import STEP
from tests.web.looking import Looking
from tests.web.reading import HTMX, Visitor
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


def back(desk: AtDesk) -> None:
    """In once more, by both steps; a step passes."""
    desk.password()
    desk.show()
    desk.world.now += STEP


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
    back(support)
    assert {KEYS, MESSAGES} <= set(tabs(support))


@pytest.mark.parametrize("given", [StaffRole.SUPPORT, StaffRole.ADMIN])
def test_another_role_wants_another_sign_in(world, visit, app, given):
    (had,) = set(StaffRole) - {given}
    desk = AtDesk(world, visit, role=had).set_up()
    elsewhere = AtDesk(world, Visitor(app.test_client()), secret=desk.secret)
    back(elsewhere)
    role(desk, had)
    desk.visitor.get(ACCOUNTS)
    role(desk, given)
    for each in (desk, elsewhere):
        answer = each.visitor.get(ACCOUNTS, 303)
        assert answer.headers["Location"].startswith("/staff/sign-in")
    back(desk)
    desk.visitor.get(KEYS, 200 if given is StaffRole.ADMIN else 403)


def test_another_role_ends_what_they_look_at_in_the_same_moment(desk):
    look = Looking(desk, desk.world.account())
    look.start()
    role(desk, StaffRole.SUPPORT)
    assert look.told("support:ended")[0][1]["cause"] == "signed_out"
    look.get(status=303)


def test_a_role_that_is_taken_is_gone(desk):
    desk.visitor.get(KEYS)
    role(desk, StaffRole.SUPPORT)
    role(desk, StaffRole.SUPPORT)
    back(desk)
    desk.visitor.get(KEYS, 403)
    said = desk.visitor.get("/staff/activity?kind=own").text
    assert said.count("Ann became support staff") == 1
