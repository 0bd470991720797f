"""Passwords and sessions in the browser; cookies; pauses; a password that was forgotten."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal.factory import create_app
from portal.models.accounts import SessionRow
from portal.models.base import db
from tests.support.mails import Office
from tests.support.world import PASSWORD
from tests.web.conftest import settings_for
from tests.web.guarding import SECURITY, Guarded
from tests.web.reading import Visitor

NEW = "radium and polonium"


@pytest.fixture
def own(world, visit) -> Guarded:
    world.account()
    visit.sign_in("owner@account1.test")
    return Guarded(world, visit)


def another(own: Guarded, app) -> Guarded:
    return Guarded(own.world, Visitor(app.test_client()), own.mail)


def change(own: Guarded, status: int, old: str = PASSWORD, new: str = NEW):
    url = f"{SECURITY}/password"
    return own.send(url, url, status, old=old, password=new)


def test_a_pause_says_how_long_alike_for_known_and_unknown(world, visit):
    world.account()
    said = []
    for mail in ("owner@account1.test", "nobody@account1.test"):
        for _ in range(5):
            visit.sign_in(mail, "wrong", 422)
        reply = visit.sign_in(mail, PASSWORD, 429)
        assert reply.headers["Retry-After"] == "30"
        assert "Too many tries. Try again in 30 seconds." in reply.text
        said.append(reply.text.replace(mail.partition("@")[0], ""))
    assert said[0] == said[1]
    world.now += timedelta(seconds=30)
    visit.sign_in("owner@account1.test", "wrong", 422)
    reply = visit.sign_in("owner@account1.test", PASSWORD, 429)
    assert reply.headers["Retry-After"] == "60"
    assert "Try again in 1 minute." in reply.text


def test_a_browser_that_was_in_before_is_not_paused_by_others(own, app):
    own.send(SECURITY, "/sign-out", 303)
    stranger = Visitor(app.test_client())
    for _ in range(5):
        stranger.sign_in(own.mail, "wrong", 422)
    stranger.sign_in(own.mail, PASSWORD, 429)
    own.visitor.sign_in(own.mail)
    assert own.is_in()


def test_behind_a_proxy_the_address_is_the_one_it_saw(world, world_database):
    world.account()
    settings = settings_for(world_database, proxy_hops=1)
    app = create_app(settings, world.gateway, lambda: world.wall)
    client = app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.66, 198.51.100.9"
    Visitor(client).sign_in("owner@account1.test")
    with world.session() as session:
        assert session.query(SessionRow).one().address == "198.51.100.9"
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_without_a_proxy_nobody_says_who_they_are(world, visit):
    world.account()
    visit.client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.66"
    visit.sign_in("owner@account1.test")
    with world.session() as session:
        assert session.query(SessionRow).one().address == "127.0.0.1"


def test_a_new_password_ends_the_other_sessions_and_this_ones_old_cookie(own, app):
    other = another(own, app)
    other.visitor.sign_in(own.mail)
    before = own.visitor.client.get_cookie("portal").value
    change(own, 303)
    assert "Your password is changed" in own.visitor.get(SECURITY).text
    assert not other.is_in()
    own.visitor.client.set_cookie("portal", before)
    assert not own.is_in()
    other.visitor.sign_in(own.mail, status=422)
    other.visitor.sign_in(own.mail, NEW)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", NEW, "This is not your current password"),
        (PASSWORD, "short", "Use 12 characters or more"),
        (PASSWORD, "a b" * 50, "Use 128 characters or fewer"),
        (PASSWORD, "123qweasdzxc", "This is a common password"),
        (PASSWORD, "owner@account1.test", "Do not build it from your e-mail address"),
        (PASSWORD, "", "Enter a new password"),
        ("", NEW, "Enter your current password"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_not_repeated(own, old, new, said):
    reply = change(own, 422, old, new)
    assert said in reply.text
    for field in reply.all("input", type="password"):
        assert not field.get("value")
    assert own.is_in()


def test_a_password_may_be_of_any_signs(own, app):
    change(own, 303, new="ключ 鍵 🔑 и слова")
    other = another(own, app)
    other.visitor.sign_in(own.mail, "ключ 鍵 🔑 и слова")
    assert other.is_in()


def test_guessing_the_old_password_waits(own):
    for _ in range(5):
        change(own, 422, "wrong")
    assert change(own, 429).headers["Retry-After"] == "30"


def test_sessions_are_listed_and_ended_one_by_one_or_all(own, app):
    firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    others = [another(own, app) for _ in range(3)]
    for other in others:
        other.visitor.client.environ_base["HTTP_USER_AGENT"] = firefox
        other.visitor.sign_in(own.mail)
    page = own.visitor.get(SECURITY)
    assert len(page.all("article")) == 4
    assert page.text.count("This one") == 1
    assert page.text.count("Firefox on Windows") >= 3
    assert "127.0.0.1 · last used 11 Apr 2026, 00:00 UTC" in page.text
    action = next(f.get("action") for f in page.all("form") if f.get("action").endswith("/revoke"))
    own.send(SECURITY, action, 303)
    assert [each.is_in() for each in others].count(True) == 2
    own.send(SECURITY, action, 404)
    own.send(SECURITY, f"{SECURITY}/sessions/revoke-others", 303)
    assert "2 other sessions have ended" in own.visitor.get(SECURITY).text
    assert [each.is_in() for each in others] == [False] * 3
    assert own.is_in()


def test_somebody_elses_session_is_404(own, app, world):
    world.account()
    theirs = Guarded(world, Visitor(app.test_client()), "owner@account2.test")
    theirs.visitor.sign_in(theirs.mail)
    with world.session() as session:
        number = session.query(SessionRow.id).order_by(SessionRow.id.desc()).first()[0]
    own.send(SECURITY, f"{SECURITY}/sessions/{number}/revoke", 404)
    assert theirs.is_in()


def test_a_forgotten_password_is_answered_alike_and_set_by_the_link(own, app):
    other = another(own, app)
    known, unknown = other.forget(), other.forget("nobody@account1.test")
    assert known.text.replace(own.mail, "") == unknown.text.replace("nobody@account1.test", "")
    url = other.link()
    assert "Set a new password" in other.visitor.get(url).text
    assert "Use 12 characters or more" in other.send(url, url, 422, password="short").text
    other.send(url, url, 303, password=NEW)
    assert "Your new password holds" in other.visitor.get("/sign-in").text
    assert not own.is_in()
    other.visitor.sign_in(own.mail, NEW)
    assert "no longer works" in other.visitor.get(url, 410).text
    other.visitor.get("/sign-in/reset/made-up", 410)
    for _ in range(2):
        other.forget()
    assert other.forget(status=429).headers["Retry-After"] == "900"


def test_the_mailed_link_is_the_one_that_works(own, app, world):
    other = another(own, app)
    other.forget()
    writer = app.extensions["jobs"].writer
    office = Office(world, writer=writer)
    office.send()
    (mail,) = office.bag.mails
    (found,) = re.findall(r"http://127.0.0.1:8420(/sign-in/reset/\w+)", mail.letter.text)
    assert found == other.link()
    other.send(found, found, 303, password=NEW)


def cookies(client, path: str, **typed: str) -> dict[str, set[str]]:
    """Names of the cookies that an answer sets, with their attributes."""
    page = client.get("/sign-in", base_url="https://billing.example.com")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
    reply = client.post(
        path, data=typed | {"csrf_token": token}, base_url="https://billing.example.com",
        headers={"Referer": "https://billing.example.com/sign-in"},
    )  # fmt: skip
    assert reply.status_code == 303
    found = {}
    for header in reply.headers.getlist("Set-Cookie"):
        name, _, rest = header.partition("=")
        found[name] = {part.strip() for part in rest.split(";")[1:]}
    return found


def test_cookies_over_https_are_bound_to_the_host(world, world_database):
    world.account()
    settings = settings_for(world_database, public_url="https://billing.example.com")
    app = create_app(settings, world.gateway, lambda: world.wall)
    client = app.test_client()
    found = cookies(client, "/preferences/theme", theme="dark")
    found |= cookies(client, "/preferences/language", language="de")
    chosen = client.get("/sign-in", base_url="https://billing.example.com").text
    assert 'data-bs-theme="dark"' in chosen
    assert 'lang="de"' in chosen
    found |= cookies(client, "/sign-in", email="owner@account1.test", password=PASSWORD)
    wanted = ("portal", "device", "theme", "language")
    assert set(found) == {f"__Host-{name}" for name in wanted}
    for attributes in found.values():
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
        assert not any(each.startswith("Domain") for each in attributes)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_cookies_in_the_clear_have_plain_names_and_no_script_reads_them(own):
    for name in ("portal", "device"):
        cookie = own.visitor.client.get_cookie(name)
        assert (cookie.http_only, cookie.secure, cookie.path) == (True, False, "/")
        assert cookie.same_site == "Lax"
    assert PASSWORD not in str(own.visitor.client._cookies)
