"""What lets the host application in is touched by who has shown a second step just now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.keys import Access
from portal.domain.support import RECENT
from portal.models.keys import ApiKeyRow
from portal.models.webhooks import WebhookEndpointRow
from portal.services import keys
from tests.web.guarding import STEP
from tests.web.reading import Reply
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


def test_a_code_is_good_for_one_act_only(settled):
    code = settled.code()
    act(settled, "make a key", code=code)
    assert "has been used already" in act(settled, "add an endpoint", 422, code=code).text
    settled.world.now += timedelta(seconds=30)
    act(settled, "add an endpoint", code=settled.code())
