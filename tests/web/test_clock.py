"""The test clock's page: only in development, only forward, and what it let happen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.domain.access import Role
from portal.factory import create_app
from portal.local.roles import connect
from portal.models.base import db
from portal.services import clock
from portal.services.recording import Doer
from portal.services.till import Till
from portal.web.views import clock as views
from tests.services.time_passing import renewals
from tests.web.conftest import settings_for
from tests.web.reading import Visitor

CLOCK = "/settings/billing/clock"


@pytest.fixture(autouse=True)
def in_one_spell(monkeypatch):
    monkeypatch.setattr(views, "SPELL_S", 600.0)


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


def move(visit, status: int = 303, **data: str):
    token = {"csrf_token": visit.get(CLOCK).hidden("csrf_token")}
    return visit.post(CLOCK, token | data, status)


def test_to_the_next_bill_and_what_happened(owner, world, visit):
    assert "1 May 2026" in visit.get(CLOCK).text
    move(visit, by="next")
    page = visit.get(CLOCK)
    assert "It is now 1 May 2026" in page.text
    assert "1 step was due on the way" in page.text
    assert "The plan was renewed" in page.text
    assert "Invoice 000001 was paid" in page.text
    assert len(renewals(world, owner)) == 1
    assert "This cycle runs 1 May 2026" in visit.get("/settings/billing/add-ons").text


def test_to_a_date_of_ones_own(owner, world, visit):
    move(visit, to="2026-07-15T12:00")
    assert len(renewals(world, owner)) == 3
    assert "15 Jul 2026, 12:00" in visit.get(CLOCK).text


def test_a_long_way_goes_by_spells_and_says_how_far_it_is(owner, world, visit, monkeypatch):
    monkeypatch.setattr(views, "SPELL_S", 0.0)
    page = move(visit, 200, to="2026-05-11T09:00")
    assert "On the way to 11 May 2026" in page.text
    assert "3% of the time has passed" in page.text
    assert "0 steps were due so far" in page.text
    told, spells = {page.text}, 1
    for status in [200] * 29 + [303]:
        last = page.text
        names = ("csrf_token", "by", "since", "until", "steps")
        page = visit.post(CLOCK, {name: page.hidden(name) for name in names}, status)
        told, spells = told | {page.text}, spells + 1
    assert "98% of the time has passed" in last, "of the whole way, since it began"
    assert len(told) == spells, "each spell says something else"
    assert "It is now 11 May 2026, 09:00 UTC. 1 step was due on the way." in visit.get(CLOCK).text
    assert len(renewals(world, owner)) == 1


@pytest.mark.parametrize(
    "data",
    [
        {"by": "on"},
        {"by": "on", "until": "nonsense"},
        {"by": "on", "until": "99999999999999"},
        {"by": "on", "until": "1893456000", "since": "-1"},
    ],
)
def test_a_move_that_is_made_up_moves_nothing(data, owner, world, visit):
    reply = move(visit, 422, **data)
    assert "Enter a date ahead" in reply.text
    assert world.state(owner).now == world.now


def test_a_move_that_says_it_began_later_shows_no_more_than_it_came(owner, visit, monkeypatch):
    monkeypatch.setattr(views, "SPELL_S", 0.0)
    page = move(visit, 200, by="on", until="1780000000", since="1780000000", steps="2")
    assert "2% of the time" in page.text


def press(visit, page, by: str, status: int = 303):
    """Press a button of `page`, as it was shown."""
    button = next(
        form for form in page.all("form")
        if any((e.get("name"), e.get("value")) == ("by", by) for e in form.iter("input"))
    )  # fmt: skip
    return visit.post(CLOCK, {e.get("name"): e.get("value") for e in button.iter("input")}, status)


@pytest.mark.parametrize("by", ["next", "day", "week", "month"])
def test_a_button_pressed_twice_moves_once(by, owner, world, visit):
    page = visit.get(CLOCK)
    press(visit, page, by)
    moved_to, billed = world.state(owner).now, len(renewals(world, owner))
    press(visit, page, by)
    assert "The clock had been moved already: it is" in visit.get(CLOCK).text
    assert (world.state(owner).now, len(renewals(world, owner))) == (moved_to, billed)


def test_pressed_while_it_moves_says_so_and_goes_on_once_it_can(owner, world, visit):
    page = visit.get(CLOCK)
    replies = []

    def meanwhile() -> bool:
        replies.append(press(visit, page, "month", 422))
        return True

    with world.session() as session:
        desk = Till(session, world.gateway, world.scope, world.wall, Doer("x", owner.account_id))
        clock.advance(desk, owner.account_id, world.now + timedelta(days=9), enough=meanwhile)
    [reply] = replies
    assert "The clock is being moved already" in reply.text
    assert "it goes on to 12 May 2026" in reply.text
    press(visit, reply, "on")
    assert world.state(owner).now == world.now + timedelta(days=31)
    assert len(renewals(world, owner)) == 1


@pytest.mark.parametrize("data", [{}, {"to": "nonsense"}, {"to": "2020-01-01T00:00"}, {"by": "x"}])
def test_a_date_that_is_none_or_past_moves_nothing(data, owner, world, visit):
    reply = move(visit, 422, **data)
    assert "Enter a date ahead" in reply.text or "Not a valid" in reply.text
    assert renewals(world, owner) == []


def test_a_reader_looks_only(owner, world, app):
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    page = reader.get(CLOCK)
    assert not [f for f in page.all("form") if f.get("action") == CLOCK]
    token = {"csrf_token": page.hidden("csrf_token"), "by": "day"}
    reader.post(CLOCK, token, 403)


def test_there_is_none_where_real_customers_are(owner, world, world_database):
    with connect(world_database.owner_url) as database:
        database.execute("update environments set name = 'staging'")
    settings = settings_for(world_database, portal_environment="staging")
    app = create_app(settings, world.gateway, lambda: world.wall)
    visitor = Visitor(app.test_client())
    visitor.sign_in("owner@account1.test")
    page = visitor.get("/settings/billing/add-ons")
    assert "Test clock" not in page.text
    visitor.get(CLOCK, 404)
    token = {"csrf_token": page.hidden("csrf_token"), "by": "day"}
    visitor.post(CLOCK, token, 404)
    assert world.state(owner).now == world.now
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
