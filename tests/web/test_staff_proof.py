"""What lets the host application in is touched by who has shown a second step just now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.keys import Access
from portal.domain.support import RECENT
from portal.models.accounts import PersonRow
from portal.models.keys import ApiKeyRow
from portal.models.webhooks import WebhookEndpointRow
from portal.services import keys
from tests.web.guarding import STEP
from tests.web.looking import Looking
from tests.web.reading import Reply, Visitor
from tests.web.staffing import KEYS, MESSAGES, AtDesk

ENDPOINTS = f"{MESSAGES}/endpoints"
NEW = f"{ENDPOINTS}/new"
HOOK = {"url": "https://new.test/hook"}
ACTS = {
    "make a key": (KEYS, KEYS, {"name": "mine", "access": "write"}, 200),
    "rotate a key": (f"{KEYS}/<prefix>/rotate", "", {"hours": "0"}, 200),
    "revoke a key": (f"{KEYS}/<prefix>/revoke", "", {}, 303),
    "add an endpoint": (NEW, NEW, HOOK, 200),
    "rotate a secret": (f"{ENDPOINTS}/1/secret", "", {"hours": "0"}, 200),
    "pause an endpoint": (MESSAGES, f"{ENDPOINTS}/1/pause", {}, 303),
    "resume an endpoint": (MESSAGES, f"{ENDPOINTS}/2/resume", {}, 303),
    "remove an endpoint": (f"{ENDPOINTS}/1/remove", "", {}, 303),
}


@pytest.fixture
def settled(desk, office) -> AtDesk:
    """A key, and two endpoints of which the second is paused; then five minutes pass."""
    world = desk.world
    with world.session() as session:
        keys.create(session, world.scope, "chat", Access.WRITE, world.wall)
    desk.send(MESSAGES, f"{ENDPOINTS}/2/pause", 303)
    world.now += RECENT
    return desk


def state(desk: AtDesk) -> list[tuple[object, ...]]:
    """What a visitor could have changed."""
    key, hook = ApiKeyRow, WebhookEndpointRow
    columns = (
        (key.id, key.expires_at, key.revoked_at),
        (hook.id, hook.generation, hook.paused_at, hook.removed_at),
    )
    with desk.world.session() as session:
        return [tuple(row) for asked in columns for row in session.execute(select(*asked))]


def act(desk: AtDesk, name: str, status: int = 0, **typed: str) -> Reply:
    page, action, given, done = ACTS[name]
    with desk.world.session() as session:
        prefix = session.scalars(select(ApiKeyRow.prefix)).first()
    page = page.replace("<prefix>", str(prefix))
    return desk.send(page, action or page, status or done, **(given | typed))


@pytest.mark.parametrize("name", ACTS)
def test_an_old_sign_in_is_asked_for_a_code_and_changes_nothing_without(name, settled):
    before = state(settled)
    page = act(settled, name, 422)
    assert "Enter a code" in page.text
    assert page.all("input", name="code")[0].get("value", "") == ""
    for field, typed in ACTS[name][2].items():
        shown = [each.get("value") for each in page.all("input", name=field)]
        assert typed in shown, "what was typed stays"
    assert "wrong, or has been used" in act(settled, name, 422, code="000000").text
    assert state(settled) == before
    act(settled, name, code=settled.code())
    assert state(settled) != before


@pytest.mark.parametrize("name", ACTS)
def test_a_fresh_sign_in_is_asked_for_none(name, settled):
    before = state(settled)
    settled.sign_out()
    settled.world.now += STEP
    settled.password()
    settled.show()
    act(settled, name)
    assert state(settled) != before


def asks(desk: AtDesk, url: str) -> bool:
    return bool(desk.visitor.get(url).all("input", name="code"))


def test_who_has_shown_a_code_is_asked_for_none_for_five_minutes(settled):
    assert asks(settled, KEYS)
    assert asks(settled, NEW)
    act(settled, "make a key", code=settled.code())
    settled.world.now += RECENT
    assert not asks(settled, KEYS)
    act(settled, "add an endpoint")
    settled.world.now += timedelta(seconds=1)
    assert asks(settled, KEYS)
    act(settled, "add an endpoint", 422)


def test_a_code_is_good_once_and_for_the_session_that_showed_it(settled, app):
    other = AtDesk(settled.world, Visitor(app.test_client()), secret=settled.secret)
    other.password()
    other.show()
    settled.world.now += RECENT + STEP
    code = settled.code()
    act(settled, "make a key", code=code)
    assert asks(other, KEYS)
    assert "has been used already" in act(other, "add an endpoint", 422, code=code).text
    settled.world.now += STEP
    act(other, "add an endpoint", code=other.code())


def test_a_page_that_comes_back_after_the_code_asks_for_no_other(settled):
    """The code was right; what was asked for cannot be."""
    page = settled.send(KEYS, KEYS, 422, name=" ", access="read", code=settled.code())
    assert page.all("input", name="code"), "what is wrong is told before a code is used"
    colleague = Looking(settled, settled.world.account())
    person = PersonRow.id == colleague.actor.person_id
    settled.world.change(update(PersonRow).where(person).values(email=settled.mail))
    page = colleague.start(422, code=settled.code())
    assert "One of the staff" in page.text
    assert not page.all("input", name="code")
