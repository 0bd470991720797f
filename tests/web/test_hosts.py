"""Which hosts are served: those of the settings, in plain words for all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from portal.domain.keys import Access
from portal.factory import create_app
from portal.models.accounts import AccountRow
from portal.models.base import db
from portal.models.session import open_session
from portal.services import keys, links
from portal.services.accounts import ensure_environment, find_account_id
from portal.settings import Settings
from tests.services.entering import host_key
from tests.support.database import Database
from tests.support.world import PASSWORD, World
from tests.web.conftest import app_where, settings_for

OURS, THEIRS = "billing.acme.test", "staging.acme.test"


@contextmanager
def served(world: World, database: Database, **changes: object) -> Iterator[FlaskClient]:
    settings = settings_for(database, public_url=f"https://{OURS}", **changes)
    app = create_app(settings, world.gateway, lambda: world.wall)
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_another_host_is_refused_on_pages_files_and_the_api(world, world_database):
    with served(world, world_database, trusted_hosts="10.0.0.7") as client:
        for path in ("/sign-in", "/nowhere", "/static/favicon.svg", "/api/v1/add-ons", "/healthz"):
            for host in ("evil.test", f"{OURS}.evil.test", f"evil.test:{443}"):
                reply = client.get(path, base_url=f"https://{host}")
                assert (reply.status_code, reply.text) == (400, "This host is not served here.\n")
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                assert "Set-Cookie" not in reply.headers
        assert client.get("/sign-in", base_url=f"https://{OURS}").status_code == 200
        assert client.get("/healthz", base_url="http://10.0.0.7:8000").status_code == 200


def test_what_a_proxy_that_is_not_ours_forwards_is_no_host(world, world_database):
    with served(world, world_database, trusted_hosts="10.0.0.7") as client:
        said = {"X-Forwarded-Host": "evil.test"}
        reply = client.get("/", base_url=f"https://{OURS}", headers=said)
        assert "evil" not in reply.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        ({}, None),
        ({"trusted_hosts": "*"}, None),
        ({"trusted_hosts": "a.test, b.test"}, [OURS, "a.test", "b.test"]),
        ({"portal_environment": "production"}, [OURS]),
        ({"portal_environment": "production", "trusted_hosts": "a.test"}, [OURS, "a.test"]),
    ],
)
def test_in_production_only_the_public_name_is_served_by_itself(changes, hosts):
    settings = Settings(
        database_url="postgresql+psycopg://portal_app@db.test/portal",
        secret_key="k" * 32,
        stripe_secret_key="sk_live_x",
        stripe_webhook_secret="whsec_x",
        public_url=f"https://{OURS}",
        proxy_hops=1,
        **changes,
    )
    assert settings.served_hosts == hosts


@contextmanager
def neighbours(world: World, database: Database) -> Iterator[dict[str, tuple[World, FlaskClient]]]:
    """Two processes on one database: each has its environment and its name, and the same key.

    Both environments have an `owner@account1.test`, with one password.
    """
    there = World(database.app_url, gateway=world.gateway)
    with open_session(there.engine, None) as session:
        there.scope = ensure_environment(session, "default", "Acme", "staging")  # type: ignore[misc]
    there.seed()
    found = {}
    with ExitStack() as running:
        for host, environment, here in (
            (OURS, "development", world),
            (THEIRS, "staging", there),
        ):
            account = here.account()
            named = {"name": f"Only in {environment}"}
            here.change(update(AccountRow).where(AccountRow.id == account.account_id).values(named))
            settings = {
                "portal_environment": environment,
                "public_url": f"https://{host}",
                "trusted_hosts": host,
            }
            app = running.enter_context(app_where(here, database, **settings))
            app.config["WTF_CSRF_ENABLED"] = False
            found[host] = (here, app.test_client(use_cookies=False))
        yield found
    there.engine.dispose()


def asked(client: FlaskClient, host: str, path: str, **headers: str) -> TestResponse:
    return client.get(path, base_url=f"https://{host}", headers=headers)


def signed_in(client: FlaskClient, host: str) -> str:
    """The cookie of the owner who signs in there."""
    typed = {"email": "owner@account1.test", "password": PASSWORD}
    reply = client.post("/sign-in", base_url=f"https://{host}", data=typed)
    assert reply.status_code == 303
    cookies = [c for c in reply.headers.getlist("Set-Cookie") if c.startswith("__Host-portal=")]
    return cookies[-1].partition(";")[0]


def linked(world: World) -> str:
    """A link that the host application asked for."""
    with world.session() as session:
        account_id = find_account_id(session, world.scope, "account1")
        key = host_key(session, world.scope, world.wall)
        made = links.make(
            session, world.scope, account_id or 0, "owner@account1.test", "/", key, world.wall
        )
    assert made is not None
    return f"/sign-in/link/{made.written}"


def test_two_host_names_are_two_environments_of_one_database(world, world_database):
    """Each has its own members, links and keys, and refuses the other's, and its host."""
    grid, foot = "/settings/billing/members", {OURS: "development", THEIRS: "staging"}
    with neighbours(world, world_database) as processes:
        for host, (here, client) in processes.items():
            (other,) = processes.keys() - {host}
            neighbour = processes[other][1]
            cookie, link = signed_in(client, host), linked(here)
            with here.session() as session:
                key = keys.create(session, here.scope, "host", Access.READ, here.wall).written
            bearer = f"Bearer {key}"
            page = asked(client, host, grid, Cookie=cookie)
            assert page.status_code == 200
            assert f"Only in {foot[host]}" in page.text
            assert f"Only in {foot[other]}" not in page.text
            assert asked(client, host, link).status_code == 200
            assert asked(client, host, "/api/v1/add-ons", Authorization=bearer).status_code == 200
            assert asked(client, other, "/sign-in").status_code == 400
            assert asked(neighbour, other, grid, Cookie=cookie).status_code == 303
            assert asked(neighbour, other, link).status_code in (404, 410)
            refused = asked(neighbour, other, "/api/v1/add-ons", Authorization=bearer)
            assert refused.status_code == 401
            hook = {"base_url": f"https://{host}", "data": "{}"}
            assert client.post(f"/webhooks/stripe/{foot[host]}", **hook).status_code == 400
            assert client.post(f"/webhooks/stripe/{foot[other]}", **hook).status_code == 404
