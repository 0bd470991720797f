"""Which hosts are served: those of the settings, in plain words for all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient

from portal.factory import create_app
from portal.models.base import db
from portal.settings import Settings
from tests.support.database import Database
from tests.support.world import World
from tests.web.conftest import settings_for

OURS = "billing.acme.test"


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
