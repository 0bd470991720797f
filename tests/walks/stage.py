"""One app on one lived-in database for whole walks over `url_map`: each request is undone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import Connection
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.domain.access import Actor, Role
from portal.domain.sign_in import Origin, digest_of
from portal.factory import create_app
from portal.models.base import db
from portal.queries.members import find_member
from portal.services import sign_in
from portal.services.sessions import Entered
from portal.web.requests import HELD, ROLE
from tests.services.entering import FIREFOX
from tests.support.database import Database
from tests.support.world import PASSWORD, World
from tests.walks.places import TEXT, Places, kind_of, own
from tests.web.conftest import settings_for

HOST = "https://billing.acme.test"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BY_KEY = "api."
MEMBERS = {f"{role}": role for role in Role}


@dataclass
class Stage:
    """cookies: what the browser of each visitor sends. keys: of the host application, by name."""

    world: World
    app: Flask
    owner: Actor
    outsider: Actor
    cookies: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    connection: Connection = field(init=False, repr=False)

    def rules(self, *, api: bool = False) -> list[Rule]:
        """Those of pages, or those of the API; files of the portal itself are neither."""
        rules = sorted(self.app.url_map.iter_rules(), key=lambda rule: rule.rule)
        pages = [rule for rule in rules if rule.endpoint != "static"]
        return [rule for rule in pages if rule.endpoint.startswith(BY_KEY) is api]

    def address(self, rule: Rule, values: dict[str, Any]) -> str:
        return self.app.url_map.bind("billing.acme.test").build(rule.endpoint, values)

    def own_address(self, rule: Rule) -> str:
        """The address of something that the owner's account has."""
        values = {
            name: TEXT[name]
            if name in TEXT
            else own(self.places, self.owner, kind_of(rule, name)).value
            for name in rule.arguments
        }
        return self.address(rule, values)

    def names_an_accounts_row(self, rule: Rule) -> bool:
        """Whether the address is of something that one account has, not of what all share."""
        kinds = [kind_of(rule, name) for name in rule.arguments if name not in TEXT]
        return any(each.account_id for kind in kinds for each in self.places[""][kind])

    def ask(self, who: str, method: str, path: str, **sent: Any) -> TestResponse:
        """One request of a visitor, or of the host with one of its keys; nothing of it stays."""
        with self.undone():
            return self.send(who, method, path, **sent)

    def send(self, who: str, method: str, path: str, **sent: Any) -> TestResponse:
        headers = dict(sent.pop("headers", {}))
        if who in self.keys:
            headers["Authorization"] = f"Bearer {self.keys[who]}"
        else:
            headers["Cookie"] = self.cookies[who]
        client = self.app.test_client(use_cookies=False)
        reply = client.open(path, method=method, base_url=HOST, headers=headers, **sent)
        reply.get_data()
        return reply

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside leaves no row, and the processor as it was."""
        processor = {
            name: copy.deepcopy(held)
            for name, held in vars(self.world.gateway).items()
            if isinstance(held, dict | list | set)
        }
        point = self.connection.begin_nested()
        try:
            yield
        finally:
            point.rollback()
            vars(self.world.gateway).update(processor)

    def let_in(self, who: str, mail: str) -> None:
        """Sign a member in, in a browser of their own."""
        with self.world.session() as session:
            origin = Origin("203.0.113.9", FIREFOX)
            outcome = sign_in.sign_in(
                session, self.world.scope, mail, PASSWORD, origin, self.world.wall
            )
            assert isinstance(outcome, Entered), outcome
            found = find_member(session, self.world.scope, digest_of(outcome.sid), self.world.wall)
        assert found is not None
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        written = signer.dumps({HELD: outcome.sid, "_fresh": True, ROLE: found.actor.role})
        self.cookies[who] = f"__Host-portal={written}"


@contextmanager
def app_of(world: World, database: Database, **settings: object) -> Iterator[Flask]:
    """The portal over https, asking for no token where a test does not want it to."""
    given = {"public_url": HOST, "api_rate_per_minute": 1_000_000, "german_consumers": True}
    given |= settings
    app = create_app(settings_for(database, **given), world.gateway, lambda: world.wall)
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def joined(app: Flask) -> Iterator[Connection]:
    """Let all requests of `app` share one connection, in whose transaction their commits end."""
    with app.app_context():
        engine = db.engine
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
    engines = db._app_engines[app]
    with engine.connect() as connection:
        whole = connection.begin()
        engines[None] = connection  # type: ignore[assignment]
        yield connection
        engines[None] = engine
        whole.rollback()
