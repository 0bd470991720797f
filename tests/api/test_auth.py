"""Who comes in: a good key in the header, never a cookie; everybody else is told why not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from portal.api.openapi import document
from portal.api.operations import OPERATIONS
from portal.domain.keys import LEVELS, Access
from portal.services import keys
from tests.api.calling import Caller
from tests.api.conftest import close, new_key, serve
from tests.web.reading import Visitor


def kind(answer):
    return answer.json["type"].removeprefix("urn:portal:problem:")


@pytest.mark.parametrize("told", OPERATIONS, ids=lambda told: f"{told.method} {told.path}")
def test_no_operation_answers_without_a_key(told, host):
    host.key = None
    path = told.path.replace("<key>", "account1").replace("<feature>", "messages")
    answer = host.call(told.method, path, 401, json={})
    assert kind(answer) == "no-key"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portal"'


@pytest.mark.parametrize(
    ("access", "opens_sessions"), [(a, b) for a in LEVELS for b in (False, True)]
)
@pytest.mark.parametrize("told", OPERATIONS, ids=lambda told: f"{told.method} {told.path}")
def test_a_key_does_what_it_was_made_for_and_no_more(told, access, opens_sessions, host, world):
    host.key = new_key(world, access, opens_sessions=opens_sessions)
    may = {Access.READ, access, *({Access.PORTAL_SESSIONS} if opens_sessions else ())}
    path = told.path.replace("<key>", "account1").replace("<feature>", "messages")
    reply = host.client.open(
        "/api/v1" + path,
        method=told.method,
        json={},
        headers={"Authorization": f"Bearer {host.key}"},
    )
    if told.access not in may:
        assert reply.status_code == 403
        assert reply.headers["WWW-Authenticate"].endswith(
            f'error="insufficient_scope", scope="{told.access}"'
        )
        assert kind(reply) == {"write": "read-only-key"}.get(told.access, "no-portal-sessions")
    else:
        assert reply.status_code in (200, 404, 422)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "bearer  ", "Token portal_development"]
)
def test_a_header_without_a_key(header, host):
    host.key, host.headers = None, {"Authorization": header}
    assert kind(host.get("/add-ons", 401)) == "no-key"


def test_unknown_expired_and_revoked_keys(host, world):
    good = host.key
    host.key = good[:-2] + "xx"
    unknown = host.get("/add-ons", 401)
    assert kind(unknown) == "unknown-key"
    assert 'error="invalid_token"' in unknown.headers["WWW-Authenticate"]
    host.key = good
    prefix = good.split("_")[2]
    with world.session() as session:
        keys.rotate(session, world.scope, prefix, timedelta(minutes=1), world.wall)
    host.get("/add-ons")
    world.pass_time(minutes=1)
    assert kind(host.get("/add-ons", 401)) == "expired-key"
    with world.session() as session:
        keys.revoke(session, world.scope, prefix, world.wall)
    assert kind(host.get("/add-ons", 401)) == "revoked-key"


def test_a_members_cookie_opens_nothing_and_no_cookie_is_set(app, world):
    world.account()
    visit = Visitor(app.test_client())
    visit.sign_in("owner@account1.test")
    Caller(visit.client, None).get("/accounts/account1", 401)
    Caller(visit.client, new_key(world)).get("/accounts/account1")


def test_a_page_does_not_open_with_a_key(app, world):
    world.account()
    headers = {"Authorization": f"Bearer {new_key(world)}"}
    reply = app.test_client().get("/settings/billing/add-ons", headers=headers)
    assert reply.status_code == 303


def test_too_many_requests_are_told_when_to_come_again(world, world_database):
    app = serve(world, world_database, api_rate_per_minute=2)
    one = Caller(app.test_client(), new_key(world))
    two = Caller(app.test_client(), new_key(world))
    one.get("/add-ons")
    world.pass_time(seconds=20)
    one.get("/add-ons", 422, limit=0)
    answer = one.get("/add-ons", 429)
    assert kind(answer) == "too-many-requests"
    assert answer.headers["Retry-After"] == "40"
    two.get("/add-ons")
    world.pass_time(seconds=40)
    one.get("/add-ons")
    close(app)


def test_use_of_a_key_is_noted(host, world):
    from portal.queries.keys import find_key

    host.get("/add-ons")
    with world.session() as session:
        assert find_key(session, world.scope, host.key).last_used_at == world.now


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/accounts/a/b/c", 404, "not-found"),
        ("DELETE", "/accounts/a", 405, "method-not-allowed"),
        ("OPTIONS", "/add-ons", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_document_too(host, method, path, status, said):
    answer = host.call(method, path, status)
    assert kind(answer) == said
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"data": "{", "content_type": "application/json"}, 400, "not-json"),
        ({"data": b"\xff\xfe", "content_type": "application/json"}, 400, "not-json"),
        ({"data": '{"name": "\\ud800"}', "content_type": "application/json"}, 422, "bad-input"),
        ({"data": "{}", "content_type": "text/plain"}, 415, "not-json"),
        ({"data": {"name": "x"}}, 415, "not-json"),
        ({"data": " " * 1_000_001, "content_type": "application/json"}, 413, "too-large"),
        ({"json": []}, 422, "bad-input"),
        ({"data": "null", "content_type": "application/json"}, 422, "bad-input"),
    ],
)
def test_a_bad_body(host, sent, status, said):
    assert kind(host.call("PUT", "/accounts/a", status, **sent)) == said


def test_a_failure_of_ours_says_nothing_of_itself(host, monkeypatch):
    from portal.api.views import add_ons

    def fail(*_):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(add_ons, "current_catalog", fail)
    host.client.application.testing = False
    answer = host.get("/add-ons", 500)
    assert kind(answer) == "internal"
    assert "secret" not in json.dumps(answer.json)


@pytest.mark.parametrize("told", OPERATIONS, ids=lambda told: f"{told.method} {told.path}")
def test_the_document_says_what_a_key_needs(told):
    path = "/api/v1" + told.path.replace("<", "{").replace(">", "}")
    said = document()["paths"][path][told.method.lower()]
    assert said["security"] == [{"key": [told.access]}]
    refused = said["responses"].get("403", {"description": "read"})["description"]
    assert refused.endswith(f"{told.access}.") or told.access is Access.READ


def test_the_document_needs_no_key(host):
    host.key = None
    reply = host.client.get("/api/v1/openapi.json")
    assert reply.status_code == 200
    assert reply.json["openapi"].startswith("3.1")
