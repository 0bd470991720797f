"""The test clock's page: only in development, only forward, and what it let happen."""

from __future__ import annotations

import pytest

from portal.domain.access import Role
from portal.factory import create_app
from portal.local.roles import connect
from portal.models.base import db
from tests.services.time_passing import renewals
from tests.web.conftest import settings_for
from tests.web.reading import Visitor

CLOCK = "/settings/billing/clock"


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
    assert "invoice:paid" in page.text
    assert len(renewals(world, owner)) == 1
    assert "This cycle runs 1 May 2026" in visit.get("/settings/billing/add-ons").text


def test_to_a_date_of_ones_own(owner, world, visit):
    move(visit, to="2026-07-15T12:00")
    assert len(renewals(world, owner)) == 3
    assert "15 Jul 2026, 12:00" in visit.get(CLOCK).text


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
