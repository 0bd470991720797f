"""A link that the host asks for: five minutes, one member, one use, and a button in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from portal.domain.access import Role
from portal.models.accounts import SessionRow
from portal.models.events import EventRow
from portal.models.keys import SignInLinkRow
from portal.services.accounts import add_member
from portal.services.links import follow
from portal.services.sign_in import Origin
from tests.web.reading import HTMX, Reply, Visitor

ADDRESS = "http://127.0.0.1:8420"


@pytest.fixture
def visit(app):
    return Visitor(app.test_client())


@pytest.fixture
def ask(host, world):
    world.account()

    def ask(**more):
        wanted = {"account": "account1", "email": "Owner@account1.test"} | more
        url = host.post("/portal-sessions", wanted, 201).json["url"]
        assert url.startswith(f"{ADDRESS}/sign-in/link/")
        return url.removeprefix(ADDRESS)

    return ask


def press(visit, url, status):
    """With the token of a page that has a form whether the link is good or not."""
    page = visit.client.get("/sign-in", follow_redirects=True).get_data(as_text=True)
    token = Reply(200, {}, page).hidden("csrf_token")
    return visit.post(url, {"csrf_token": token}, status)


def test_the_button_signs_in_and_leads_on(ask, visit):
    url = ask(page="/settings/billing/add-ons/messages_100k/purchase?quantity=2")
    page = visit.get(url)
    assert "owner@account1.test" in page.text
    assert "Account1" in page.text
    assert "Continue" in [page.words(button) for button in page.all("button")]
    reply = press(visit, url, 303)
    assert reply.headers["Location"].endswith("/messages_100k/purchase?quantity=2")
    assert "Pay $98.00 now" in visit.get(reply.headers["Location"]).text


def test_looking_spends_nothing_and_the_second_use_is_refused(ask, visit, app, world):
    url = ask()
    for _ in range(3):
        visit.get(url)
    visit.client.head(url)
    assert world.rows(SessionRow) == 0
    press(visit, url, 303)
    other = Visitor(app.test_client())
    assert "This link no longer works" in press(other, url, 410).text
    assert "This link no longer works" in other.get(url, 410).text
    other.get("/settings/billing/add-ons", 303)
    assert world.rows(SessionRow) == 1


def test_without_a_token_of_the_form_nothing_is_spent(ask, visit, world):
    url = ask()
    visit.post(url, {}, 400)
    assert world.rows(SessionRow) == 0
    press(visit, url, 303)


def test_it_is_over_after_five_minutes(ask, visit, world):
    url = ask()
    world.pass_time(minutes=5, seconds=-1)
    visit.get(url)
    world.pass_time(seconds=1)
    visit.get(url, 410)
    press(visit, url, 410)
    assert world.rows(SessionRow) == 0


def test_it_replaces_whoever_was_signed_in(ask, visit, world):
    world.account()
    visit.sign_in("owner@account2.test")
    press(visit, ask(), 303)
    assert "Account1" in visit.get("/settings/billing/add-ons").text


def test_it_is_of_the_account_that_was_named(host, visit, world):
    world.account()
    second = world.account()
    mail = "owner@account1.test"
    with world.session() as session:
        add_member(session, world.scope, second.account_id, mail, "O", Role.MEMBER, None)
    wanted = {"account": "account2", "email": mail}
    url = host.post("/portal-sessions", wanted, 201).json["url"].removeprefix(ADDRESS)
    press(visit, url, 303)
    page = visit.get("/settings/billing/add-ons")
    assert "Account2" in page.text
    assert "You can look, not change" in page.text


def test_two_at_once_are_one_session(ask, world):
    written = ask().rpartition("/")[2]

    def use(_):
        with world.session() as session:
            return follow(session, world.scope, written, Origin("", ""), world.wall)

    with ThreadPoolExecutor(5) as pool:
        done = [each for each in pool.map(use, range(5)) if each is not None]
    assert len(done) == 1
    assert world.rows(SessionRow) == 1


def test_who_asked_is_recorded_and_the_link_is_kept_nowhere(ask, host, world):
    written = ask().rpartition("/")[2]
    with world.session() as session:
        row = session.scalars(select(SignInLinkRow)).one()
        event = session.scalars(select(EventRow).where(EventRow.name == "link:made")).one()
    assert written not in str(vars(row))
    assert event.actor == f"key:{host.key.split('_')[2]}"


def test_the_accounts_activity_names_the_key_that_let_somebody_in(ask, host, visit, world):
    press(visit, ask(), 303)
    key = f"host ({host.key.split('_')[2]})"
    said = visit.get("/settings/billing/activity?kind=sign_in").text
    assert f"A sign-in link for Somebody was made with the API key {key}" in said
    assert f"Somebody came by a sign-in link of the API key {key}" in said
    with world.session() as session:
        used = session.scalars(select(EventRow).where(EventRow.name == "link:used")).one()
    assert (used.account_id, used.person_id) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"email": "member@account2.test"}, "#/email"), ({"email": "nobody"}, "#/email"),
     ({"page": "https://evil.test"}, "#/page"), ({"page": "//evil.test"}, "#/page"),
     ({"page": "/sign-out"}, "#/page"), ({"page": "/settings/billing/../x y"}, "#/page"),
     ({"page": "/settings/billing/../../x"}, "#/page"), ({"page": "/settings/billing/."}, "#/page"),
     ({"page": "/settings/billing/add-ons/..?a=b"}, "#/page"),
     ({"page": "/settings/billing//evil.test"}, "#/page")],
)  # fmt: skip
def test_a_bad_field_is_named(changes, pointer, host, world):
    world.account()
    wanted = {"account": "account1", "email": "owner@account1.test"} | changes
    answer = host.post("/portal-sessions", wanted, 422)
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert world.rows(SignInLinkRow) == 0


def test_the_page_as_a_fragment(ask, visit):
    part = visit.get(ask(), **HTMX)
    assert "<html" not in part.html
    assert visit.get("/sign-in/link/nothing", 410, **HTMX).all("a")
