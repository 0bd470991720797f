"""Invitations in the browser: sent, followed by who they are for, and by who they are not for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal.domain.access import Role
from tests.support.mails import Office
from tests.web.guarding import Guarded
from tests.web.inviting import MEMBERS, NEW, Host
from tests.web.reading import Visitor

OWNER = "owner@account1.test"
ADA = "ada@new.test"


@pytest.fixture
def host(world, visit) -> Host:
    world.account()
    visit.sign_in(OWNER)
    return Host(world, visit)


@pytest.fixture
def guest(world, app) -> Host:
    """A browser that nobody has signed in with."""
    return Host(world, Visitor(app.test_client()))


def test_a_newcomer_says_a_name_and_a_password_and_is_in(host, guest):
    url = host.invited(ADA, Role.BILLING)
    assert "An invitation is on its way to ada@new.test" in host.visitor.get(MEMBERS).text
    page = guest.visitor.get(url)
    for said in ("Somebody asks you to become a member of Account1", ADA, "Billing"):
        assert said in page.text
    assert "Enter your name" in guest.send(url, url, 422, name=" ", password=NEW).text
    turned = guest.send(url, url, 422, name="Eve\u202egnp.exe", password=NEW)
    assert "without line breaks and invisible signs" in turned.text
    reply = guest.send(url, url, 422, name="Ada", password="short")
    assert "Use 12 characters or more" in reply.text
    assert reply.all("input", name="name")[0].get("value") == "Ada"
    guest.send(url, url, 303, name="Ada", password=NEW)
    assert "Invite somebody" in guest.visitor.get(MEMBERS).text
    listed = host.visitor.get(MEMBERS)
    assert "Invitations without an answer" not in listed.text
    assert ADA in listed.text
    guest.visitor.get(url, 410)


def test_a_known_person_signs_in_second_step_included_and_confirms(host, guest, world):
    actor = world.account()
    mail = "owner@account2.test"
    url = host.invited(mail, Role.MEMBER)
    guarded = Guarded(world, guest.visitor, mail)
    guest.visitor.sign_in(mail)
    guarded.set_up()
    guest.send(MEMBERS, "/sign-out", 303)
    page = guest.visitor.get(url)
    assert "sign in to accept" in page.text
    assert not page.all("input", type="password")
    target = next(a.get("href") for a in page.all("a") if "next=" in a.get("href"))
    form = guest.visitor.get(target)
    assert form.all("input", name="email")[0].get("value") == mail
    typed = {"email": mail, "password": "correct horse", "next": form.hidden("next")}
    assert guest.send(target, "/sign-in", 303, **typed).headers["Location"] == "/sign-in/code"
    assert guarded.show(guarded.code()).headers["Location"] == url
    guest.send(url, f"{url}/accept", 303)
    page = guest.visitor.get(MEMBERS)
    assert "Welcome: you are a member now" in page.text
    assert OWNER in page.text
    assert "Your accounts" in page.text
    assert world.state(actor) is not None


def test_half_way_in_accepts_nothing(host, guest, world):
    world.account()
    mail = "owner@account2.test"
    url = host.invited(mail)
    guarded = Guarded(world, guest.visitor, mail)
    guest.visitor.sign_in(mail)
    guarded.set_up()
    guest.send(MEMBERS, "/sign-out", 303)
    guest.visitor.sign_in(mail)
    reply = guest.send("/sign-in/code", f"{url}/accept", 303)
    assert reply.headers["Location"] == url
    assert mail not in {each.text for each in host.visitor.get(MEMBERS).all("h3")}
    assert "Invitations without an answer" in host.visitor.get(MEMBERS).text


def test_somebody_else_is_told_so_and_accepts_nothing(host, guest, world):
    world.account()
    url = host.invited(ADA)
    guest.visitor.sign_in("owner@account2.test")
    page = guest.visitor.get(url)
    assert "It is for somebody else" in page.text
    assert "You are signed in as owner@account2.test" in page.text
    assert not [f for f in page.all("form") if f.get("action").endswith("/accept")]
    for action, typed in ((f"{url}/accept", {}), (url, {"name": "Eve", "password": NEW})):
        assert "It is for somebody else" in guest.send(url, action, 409, **typed).text
    assert "It is for somebody else" in host.visitor.get(url).text
    guest.send(url, "/sign-out", 303)
    guest.send(url, url, 303, name="Ada", password=NEW)


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("", "admin", "Enter their e-mail address"),
        ("ada", "admin", "Enter an e-mail address like name@example.com"),
        ("ada@new.test\r\nBcc: x@y.test", "admin", "Enter an e-mail address like"),
        ("jörg@new.test", "admin", "in letters from A to Z: mail to others cannot be sent"),
        ("ada@münchen.test", "admin", "in letters from A to Z: mail to others cannot be sent"),
        (ADA, "king", "Not a valid choice"),
        (ADA, "", "Choose a role"),
        (OWNER.upper(), "admin", "Somebody with this address is a member already"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(host, email, role, said):
    reply = host.invite(email, role, 422)
    assert said in reply.text
    assert "Invitations without an answer" not in reply.text


def test_it_is_sent_again_withdrawn_and_throttled(host, guest):
    first = host.invited(f"  {ADA} ")
    act = f"{MEMBERS}/invitations/1"
    host.send(MEMBERS, f"{act}/send-again", 303)
    guest.visitor.get(first, 410)
    second = host.link()
    assert "You are invited" in guest.visitor.get(second).text
    host.send(MEMBERS, f"{act}/send-again", 303)
    reply = host.send(MEMBERS, f"{act}/send-again", 429)
    assert "Too many tries" in reply.text
    assert reply.headers["Retry-After"] == "900"
    host.send(MEMBERS, f"{act}/withdraw", 303)
    assert "The invitation is withdrawn" in host.visitor.get(MEMBERS).text
    assert "This link no longer works" in guest.visitor.get(host.link(), 410).text
    host.send(MEMBERS, f"{act}/withdraw", 404)


def test_after_a_week_the_link_is_over_and_the_list_says_so(host, guest, world):
    url = host.invited(ADA)
    world.now += timedelta(days=7)
    assert "its 7 days are over" in guest.visitor.get(url, 410).text
    host.visitor.sign_in(OWNER)
    assert "Expired" in host.visitor.get(MEMBERS).text


def test_the_mailed_link_is_the_one_that_works(host, guest, app, world):
    host.invite(ADA)
    office = Office(world, writer=app.extensions["jobs"].writer)
    office.send()
    (mail,) = office.bag.mails
    assert mail.recipient == ADA
    assert "Somebody invites you" in mail.letter.subject
    assert "an owner of Account1 typed your address" in mail.letter.text
    (found,) = re.findall(r"http://127.0.0.1:8420(/sign-in/invitation/\w+)", mail.letter.text)
    assert found == host.link()
    assert found in mail.letter.html
    guest.send(found, found, 303, name="Ada", password=NEW)


def test_hostile_names_stay_words(host, guest):
    url = host.invited(ADA)
    hostile = '<script>alert("x")</script>'
    guest.send(url, url, 303, name=hostile, password=NEW)
    page = host.visitor.get(MEMBERS)
    assert hostile not in page.html
    assert hostile in page.text
    page.article(hostile)
