"""Two-step sign-in in the browser: set up, asked for, used up, turned off."""

from __future__ import annotations

import re

import pytest

from portal.domain.access import Role
from portal.services import links
from tests.services.entering import host_key
from tests.support.world import PASSWORD
from tests.web.guarding import SECURITY, STEP, TWO_STEP, Guarded
from tests.web.reading import Visitor


@pytest.fixture
def own(world, visit) -> Guarded:
    world.account(role=Role.MEMBER)
    visit.sign_in("owner@account1.test")
    return Guarded(world, visit)


def another(own: Guarded, app) -> Guarded:
    """The same member in a second browser."""
    return Guarded(own.world, Visitor(app.test_client()), own.mail, own.secret)


def test_it_is_set_up_with_a_picture_and_gives_ten_codes_once(own):
    assert "Off" in own.visitor.get(SECURITY).text
    own.send(TWO_STEP, f"{TWO_STEP}/begin", 303)
    picture = own.visitor.get(TWO_STEP).all("img")[0]
    assert picture.get("src").startswith("data:image/svg+xml")
    assert picture.get("alt")
    shown = own.set_up()
    assert len(own.codes(shown)) == 10
    after = own.visitor.get(TWO_STEP)
    assert own.codes(after) == []
    assert own.secret not in "".join(after.html.split())
    assert "10 recovery codes are left" in after.text
    assert "On" in own.visitor.get(SECURITY).text


def test_the_code_has_a_page_of_its_own_and_leads_where_one_was_going(own, app):
    own.set_up()
    other = another(own, app)
    page = other.visitor.get("/sign-in?next=/settings/billing/usage")
    typed = {"email": own.mail, "password": PASSWORD, "next": page.hidden("next")}
    reply = other.send("/sign-in", "/sign-in", 303, **typed)
    assert reply.headers["Location"] == "/sign-in/code"
    assert not other.is_in(), "half-way in is not in"
    assert "wrong" in other.show("000000", 422).text
    assert other.show(own.code()).headers["Location"] == "/settings/billing/usage"
    assert other.is_in()
    other.visitor.get("/sign-in/code", 303)


def test_a_code_that_was_used_is_refused(own, app):
    own.set_up()
    first, second = another(own, app), another(own, app)
    for each in (first, second):
        each.visitor.sign_in(own.mail)
    first.show(own.code())
    assert "has been used already" in second.show(own.code(), 422).text
    assert not second.is_in()


def test_a_recovery_code_does_and_the_page_counts_down(own, app):
    codes = own.codes(own.set_up())
    other = another(own, app)
    other.visitor.sign_in(own.mail)
    other.show(codes[0])
    assert "9 recovery codes are left" in other.visitor.get(SECURITY).text


def test_too_many_codes_wait(own, app):
    own.set_up()
    other = another(own, app)
    other.visitor.sign_in(own.mail)
    for _ in range(5):
        other.show("000000", 422)
    reply = other.show(own.code(), 429)
    assert reply.headers["Retry-After"] == "30"
    assert "Try again in 30 seconds" in reply.text
    own.world.now += STEP
    other.show(own.code())
    assert other.is_in()


def test_without_a_challenge_the_code_page_leads_back(world, visit):
    world.account()
    reply = visit.get("/sign-in/code", 303)
    assert reply.headers["Location"] == "/sign-in"
    assert "Please sign in again" in visit.get("/sign-in").text


def test_the_hosts_link_asks_for_the_code_too(own, app):
    own.set_up()
    other = another(own, app)
    with own.world.session() as session:
        scope, wall = own.world.scope, own.world.wall
        key = host_key(session, scope, wall)
        made = links.make(session, scope, 1, own.mail, "/settings/billing/usage", key, wall)
    url = f"/sign-in/link/{made.written}"
    assert other.send(url, url, 303).headers["Location"] == "/sign-in/code"
    assert not other.is_in()
    assert other.show(own.code()).headers["Location"] == "/settings/billing/usage"


def test_off_takes_password_and_code(own, app):
    own.set_up()
    off = f"{TWO_STEP}/off"
    wrong = own.send(TWO_STEP, off, 422, password=PASSWORD, code="000000")
    assert "Password or code is wrong" in wrong.text
    assert "Enter a code" in own.send(TWO_STEP, off, 422, password=PASSWORD, code="").text
    own.send(TWO_STEP, off, 303, password=PASSWORD, code=own.code())
    assert "Two-step sign-in is off" in own.visitor.get(SECURITY).text
    other = another(own, app)
    other.visitor.sign_in(own.mail)
    assert other.is_in()


def test_new_codes_replace_the_old_ones(own):
    first = own.codes(own.set_up())
    url = f"{TWO_STEP}/recovery-codes"
    shown = own.send(TWO_STEP, url, 200, password=PASSWORD, code=own.code())
    second = own.codes(shown)
    assert len(set(first) | set(second)) == 20
    assert "You have ten new codes" in shown.text


@pytest.mark.parametrize("way", ["on", "off", "recovery-codes"])
def test_the_cookie_before_is_signed_out(own, way):
    client = own.visitor.client
    if way != "on":
        own.set_up()
    before = client.get_cookie("portal").value
    if way == "on":
        own.set_up()
    else:
        status = 303 if way == "off" else 200
        own.send(TWO_STEP, f"{TWO_STEP}/{way}", status, password=PASSWORD, code=own.code())
    assert own.is_in()
    client.set_cookie("portal", before)
    assert not own.is_in()


def test_a_picture_holds_no_script(own):
    own.send(TWO_STEP, f"{TWO_STEP}/begin", 303)
    picture = own.visitor.get(TWO_STEP).all("img")[0].get("src")
    assert not re.search(r"script|onload|http-equiv", picture)
