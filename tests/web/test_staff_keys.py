"""API keys on their staff page: made and shown once, exchanged with an overlap, revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.keys import Access, KeyState
from portal.models.events import EventRow
from portal.queries.keys import find_key
from portal.services import keys
from tests.web.reading import Reply
from tests.web.staffing import KEYS, AtDesk

WRITTEN = re.compile(r"portal_development_[0-9a-f]{12}_[\w-]{43}")


def made(page: Reply) -> str:
    (written,) = set(WRITTEN.findall(page.html))
    return written


def make(desk: AtDesk, **typed: str) -> str:
    return made(desk.send(KEYS, KEYS, 200, **({"name": "chat", "access": "write"} | typed)))


def state(desk: AtDesk, written: str) -> KeyState:
    with desk.world.session() as session:
        key = find_key(session, desk.world.scope, written)
    assert key is not None
    return key.state(desk.world.wall)


def told(desk: AtDesk) -> list[tuple[str, str]]:
    with desk.world.session() as session:
        mine = EventRow.name.startswith("key:")
        rows = session.scalars(select(EventRow).where(mine).order_by(EventRow.id))
        return [(row.name, row.actor) for row in rows]


def test_a_key_is_shown_once_and_listed_without_its_secret(desk):
    assert "No key works now" in desk.visitor.get(KEYS).text
    written = make(desk, days="90")
    prefix = written.split("_")[2]
    page = desk.visitor.get(KEYS)
    assert written.rpartition(prefix)[2] not in page.html
    row = page.words(page.article("chat"))
    for said in (prefix, "Read and write", "never used", "made 11 Apr 2026", "works until 10 Jul"):
        assert said in row
    assert told(desk) == [("key:created", "staff:1")]
    with desk.world.session() as session:
        found = find_key(session, desk.world.scope, written)
    assert found is not None
    assert (found.name, found.access, found.opens_sessions) == ("chat", Access.WRITE, False)
    assert "Signs members in" not in row


@pytest.fixture
def button(desk) -> str:
    """The prefix of a key that signs members in, as the command line makes it."""
    given = "button", Access.READ, desk.world.wall
    with desk.world.session() as session:
        return keys.create(session, desk.world.scope, *given, opens_sessions=True).prefix


def test_no_page_makes_a_key_that_signs_members_in(desk):
    page = desk.visitor.get(KEYS)
    assert page.all("input", name="opens_sessions") == []
    assert "flask keys create NAME --access write --portal-sessions" in page.text
    written = make(desk, opens_sessions="y")
    with desk.world.session() as session:
        found = find_key(session, desk.world.scope, written)
    assert found is not None
    assert not found.opens_sessions


def test_no_page_rotates_a_key_that_signs_members_in(desk, button):
    url = f"{KEYS}/{button}/rotate"
    row = desk.visitor.get(KEYS).words(desk.visitor.get(KEYS).article("button"))
    assert "Signs members in" in row
    assert f"flask keys rotate {button}" in row
    page = desk.visitor.get(url)
    assert f"flask keys rotate {button} --overlap 24" in page.text
    assert page.all("input", name="hours") == []
    token = desk.visitor.get(KEYS).hidden("csrf_token")
    refused = desk.visitor.post(url, {"csrf_token": token, "hours": "1"}, 403)
    assert f"flask keys rotate {button}" in refused.text
    assert WRITTEN.search(refused.html) is None
    assert [name for name, _actor in told(desk)] == ["key:created"]


def test_a_key_that_signs_members_in_is_revoked_on_its_page_and_told_of(desk, button):
    url = f"{KEYS}/{button}/revoke"
    desk.send(url, url, 303)
    said = desk.visitor.get("/staff/activity?kind=own").text
    assert f"The API key button ({button}) was made, which signs members in" in said
    assert told(desk) == [("key:created", "cli"), ("key:revoked", "staff:1")]


def test_the_activity_says_which_key_replaced_which(desk):
    prefix = make(desk).split("_")[2]
    url = f"{KEYS}/{prefix}/rotate"
    new = made(desk.send(url, url, 200, hours="1")).split("_")[2]
    said = desk.visitor.get("/staff/activity?kind=own").text
    assert f"The API key {prefix} was rotated: {new} replaces it" in said
    assert "Ann, staff" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Say what it is for"),
        ({"name": "chat\u202e"}, "without line breaks and invisible signs"),
        ({"access": ""}, "Choose what it may do"),
        ({"access": "all"}, "Not a valid choice"),
        ({"days": "0"}, "from 1 to 3650"),
        ({"days": "x"}, "Enter a whole number from 1 to 3650, or nothing"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(desk, typed, said):
    typed = {"name": "chat", "access": "read", "days": "7"} | typed
    page = desk.send(KEYS, KEYS, 422, **typed)
    assert said in page.text
    assert page.all("input", name="days")[0].get("value") == typed["days"]
    assert told(desk) == []


def test_both_keys_work_until_the_overlap_is_over(desk):
    old = make(desk)
    prefix = old.split("_")[2]
    url = f"{KEYS}/{prefix}/rotate"
    assert "from 0 to 168" in desk.send(url, url, 422, hours="169").text
    new = made(desk.send(url, url, 200, hours="1"))
    assert new != old
    desk.world.now += timedelta(minutes=10)
    assert "works until" in desk.visitor.get(KEYS).text
    assert state(desk, old) is state(desk, new) is KeyState.GOOD
    desk.world.now += timedelta(minutes=10)
    desk.visitor.get(KEYS)
    desk.world.now += timedelta(minutes=14)
    desk.visitor.get(KEYS)
    desk.world.now += timedelta(minutes=14)
    desk.visitor.get(KEYS)
    desk.world.now += timedelta(minutes=14)
    assert (state(desk, old), state(desk, new)) == (KeyState.EXPIRED, KeyState.GOOD)
    assert "Keys that no longer work" in desk.visitor.get(KEYS).text
    desk.visitor.get(url, 409)
    assert told(desk)[-1] == ("key:rotated", "staff:1")


def test_revoking_asks_first(desk):
    written = make(desk)
    url = f"{KEYS}/{written.split('_')[2]}/revoke"
    assert "This cannot be undone" in desk.visitor.get(url).text
    assert state(desk, written) is KeyState.GOOD, "looking revokes nothing"
    desk.send(url, url, 303)
    assert state(desk, written) is KeyState.REVOKED
    page = desk.visitor.get(KEYS)
    assert "no longer works" in page.text
    assert "revoked 11 Apr 2026" in page.text
    assert told(desk)[-1] == ("key:revoked", "staff:1")
    desk.visitor.get(url, 409)


@pytest.mark.parametrize("way", ["rotate", "revoke"])
def test_an_unknown_key_is_404(desk, way):
    desk.visitor.get(f"{KEYS}/000000000000/{way}", 404)


def test_another_environments_key_is_404(desk):
    from portal.domain.access import Scope
    from portal.models.session import set_scope
    from portal.services.accounts import ensure_environment

    with desk.world.session() as session:
        other: Scope = ensure_environment(session, "default", "Acme", "staging")
        set_scope(session, other.environment_id)
        theirs = keys.create(session, other, "theirs", Access.READ, desk.world.wall)
    for way in ("rotate", "revoke"):
        desk.visitor.get(f"{KEYS}/{theirs.prefix}/{way}", 404)
    assert theirs.prefix not in desk.visitor.get(KEYS).html


def test_no_post_passes_without_a_token_or_a_session(desk):
    written = make(desk)
    prefix = written.split("_")[2]
    for url in (KEYS, f"{KEYS}/{prefix}/rotate", f"{KEYS}/{prefix}/revoke", "/staff/sign-out"):
        assert "This page has expired" in desk.visitor.post(url, {}, 400).text
    token = desk.visitor.get(KEYS).hidden("csrf_token")
    desk.visitor.client.delete_cookie("staff")
    desk.visitor.post(f"{KEYS}/{prefix}/revoke", {"csrf_token": token}, 303)
    assert state(desk, written) is KeyState.GOOD
