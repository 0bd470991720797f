"""A browser holds one session: whatever lets somebody in there ends the one that it held."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models.events import EventRow
from portal.services import links
from tests.services.entering import host_key
from tests.services.staffing import STAFF_PASSWORD
from tests.web.guarding import SECURITY, Guarded
from tests.web.inviting import NEW, Host
from tests.web.providing import without_password
from tests.web.reading import Visitor
from tests.web.staffing import KEYS, SIGN_IN, AtDesk

FIRST, SECOND = "owner@account1.test", "owner@account2.test"


@pytest.fixture
def held(world, visit) -> Host:
    """A browser that the owner of the first account is signed in with; there is a second."""
    actor = world.account()
    world.account()
    visit.sign_in(FIRST)
    return Host(world, visit, actor.account_id)


def cookie_of(visitor, name="portal"):
    return visitor.client.get_cookie(name).value


def opens(app, cookie, page=SECURITY, name="portal"):
    """Whether somebody who kept the cookie is let in with it."""
    client = app.test_client()
    client.set_cookie(name, cookie)
    return client.get(page).status_code == 200


def enter_again(visitor, mail, status=303):
    """What a sign-in page sends that was open before."""
    token = visitor.get(SECURITY).hidden("csrf_token")
    typed = {"csrf_token": token, "email": mail, "password": "correct horse"}
    return visitor.post("/sign-in", typed, status)


def by_password(held, app):
    enter_again(held.visitor, SECOND)


def by_password_of_the_same_person(held, app):
    enter_again(held.visitor, FIRST)


def by_password_with_a_code_to_come(held, app):
    guarded = Guarded(held.world, Visitor(app.test_client()), SECOND)
    guarded.visitor.sign_in(SECOND)
    guarded.set_up()
    enter_again(held.visitor, SECOND)


def by_a_link(held, app):
    world = held.world
    with world.session() as session:
        key = host_key(session, world.scope, world.wall)
        made = links.make(session, world.scope, held.account_id, FIRST, "/", key, world.wall)
    url = f"/sign-in/link/{made.written}"
    held.send(url, url, 303)


def by_a_new_password(held, app):
    other = Guarded(held.world, Visitor(app.test_client()), SECOND)
    other.forget()
    held.send(other.link(), other.link(), 303, password=NEW)


def by_signing_out(held, app):
    held.send(SECURITY, "/sign-out", 303)


@pytest.mark.parametrize(
    "comes",
    [
        by_password,
        by_password_of_the_same_person,
        by_password_with_a_code_to_come,
        by_a_link,
        by_a_new_password,
        by_signing_out,
    ],
)
def test_what_the_browser_held_is_worth_nothing_any_more(held, app, comes):
    before = cookie_of(held.visitor)
    assert opens(app, before)
    comes(held, app)
    assert not opens(app, before)


def test_a_request_with_an_id_from_before_leaves_the_browsers_cookie_alone(held, app):
    """Its answer may come last: another tab would be signed out by it."""
    assert held.visitor.get(SECURITY).hidden("csrf_token")
    before = cookie_of(held.visitor)
    Guarded(held.world, held.visitor).set_up()
    late = app.test_client()
    late.set_cookie("portal", before)
    for page in (SECURITY, "/settings/billing/usage", "/sign-in"):
        reply = late.get(page)
        assert reply.status_code == (200 if page == "/sign-in" else 303)
        assert "Set-Cookie" not in reply.headers
    assert late.get(SECURITY, follow_redirects=True).request.path == "/sign-in"
    assert held.visitor.get(SECURITY)


def test_who_was_signed_out_signs_in_anew_with_the_cookie_from_before(held, app):
    before = cookie_of(held.visitor)
    by_signing_out(held, app)
    late = Visitor(app.test_client())
    late.client.set_cookie("portal", before)
    late.sign_in(FIRST)
    assert late.get(SECURITY)


def test_a_code_page_that_is_over_ends_nothing(held, app):
    held.visitor.get("/sign-in/code", 303)
    assert held.visitor.get(SECURITY)
    assert opens(app, cookie_of(held.visitor))


def test_it_is_recorded_once_and_the_new_session_stays(held, world):
    enter_again(held.visitor, SECOND)
    assert held.visitor.get(SECURITY)
    mine = select(EventRow.name).where(EventRow.account_id == held.account_id)
    with world.session() as session:
        names = list(session.scalars(mine.order_by(EventRow.id)))
    assert names[-2:] == ["session:started", "session:ended"]


def test_whoever_comes_by_a_provider_ends_it_too(traveller, world):
    without_password(world, world.account())
    traveller.go(email=FIRST)
    before = cookie_of(traveller.visitor)
    reply = traveller.send(SECURITY, "/sign-in/oidc", 200)
    address = reply.headers["Refresh"].partition("url=")[2]
    traveller.come_back(traveller.provider.sign_in(address, email=FIRST))
    assert traveller.is_in()
    assert not opens(traveller.app, before)


def test_staff_hold_one_too(desk, app):
    before = cookie_of(desk.visitor, "staff")
    assert opens(app, before, KEYS, "staff")
    desk.send(KEYS, SIGN_IN, 303, email=desk.mail, password=STAFF_PASSWORD)
    assert opens(app, before, KEYS, "staff"), "half-way in ends nothing of theirs"
    desk.show()
    assert desk.is_in()
    assert not opens(app, before, KEYS, "staff")


def test_a_link_that_sets_staff_up_ends_what_another_held(desk, app):
    before = cookie_of(desk.visitor, "staff")
    other = AtDesk(desk.world, desk.visitor, "ben@staff.test", "Ben").set_up()
    assert other.is_in()
    assert not opens(app, before, KEYS, "staff")
