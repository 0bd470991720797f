"""The whole portal over real HTTP: pages, Stripe sandbox, webhooks, with every call recorded."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import make_server

from portal.factory import create_app
from portal.gateways.stripe_payments import StripePayments, stripe_client
from portal.models.base import db
from portal.sandbox.app import create_sandbox
from portal.sandbox.serving import bind
from portal.sandbox.webhooks import Endpoint
from portal.settings import Settings
from tests.support import conformance
from tests.support.database import Database
from tests.support.world import World

KEY, SECRET = "sk_test_browser", "whsec_browser"
MASTER = "a secret for the browser tests, long enough"


@dataclass
class Stack:
    """url: of the portal. api_base: of the sandbox, past the recorder where there is one.

    more: settings beside those that every stack has.
    """

    database: Database
    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    url: str = ""
    sandbox_url: str = ""
    api_base: str = ""
    world: World = field(init=False)
    _stops: list[Callable[[], object]] = field(default_factory=list)

    def start(self) -> Stack:
        door = socket.create_server(("127.0.0.1", 0))
        port = door.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        hooks = self._record(self.url, "hooks")
        sandbox = create_sandbox(None, Endpoint(f"{hooks}/webhooks/stripe/development", SECRET))
        server = bind(sandbox)
        self._serve(server)
        self._stops.append(sandbox.extensions["sandbox"].close)
        self.sandbox_url = f"http://127.0.0.1:{server.port}"
        sandbox.config["PUBLIC_BASE"] = self.sandbox_url  # browsers do not pass by the recorder
        self.api_base = self._record(self.sandbox_url, "calls")
        self.stripe = stripe_client(KEY, self.api_base).v1
        gateway = StripePayments(stripe_client(KEY, self.api_base), self._now)
        self.world = World(self.database.app_url, gateway=gateway)
        app = create_app(self._settings(), self.world.gateway, lambda: self.world.wall)
        self._stops.append(lambda: _dispose(app))
        self._stops.append(door.close)
        self._serve(make_server("127.0.0.1", port, _whole(app), threaded=True, fd=door.fileno()))
        return self

    def stop(self) -> None:
        for stop in reversed(self._stops):
            stop()
        self.world.engine.dispose()

    def charges(self, account_id: int) -> list[tuple[int, str]]:
        """What the sandbox's own books say was taken from the account, oldest first."""
        customer = self.world.customer(account_id)
        found = self.stripe.charges.list({"customer": customer, "limit": 100}).data
        return [(c.amount, c.currency) for c in reversed(found) if c.status == "succeeded"]

    def keep_time(self) -> None:
        """Set the sandbox's clock to the world's."""
        wanted = self._now() - time.time()
        self._advance(wanted - self._advance(0))

    def _advance(self, seconds: float) -> float:
        """Let the sandbox's time pass; how far it is ahead of the wall's then."""
        reply = requests.post(
            f"{self.sandbox_url}/_test/clock", json={"advance": seconds}, timeout=10
        )
        return float(reply.json()["ahead"])

    def break_next(self, match: str, mode: str) -> None:
        """Let the sandbox fail the next request of a kind."""
        fault = {"match": match, "mode": mode, "n": 1}
        requests.post(f"{self.sandbox_url}/_test/faults", json=fault, timeout=10)

    def conformance_errors(self) -> list[Any]:
        """What the checker holds against the portal's calls, the answers and the webhooks."""
        if conformance.tool() is None:
            return []
        exchanges = [e for name in ("calls", "hooks") for e in conformance.read(self._file(name))]
        assert exchanges, "the recorder has heard nothing"
        return conformance.errors(exchanges, SECRET)

    def _now(self) -> float:
        return self.world.now.timestamp()

    def _settings(self) -> Settings:
        return Settings(
            database_url=self.database.app_url,
            secret_key=MASTER,
            stripe_secret_key=KEY,
            stripe_webhook_secret=SECRET,
            stripe_api_base=self.api_base,
            stripe_checkout_origin=self.sandbox_url,
            public_url=self.url,
            support_email="help@portal.test",
            **self.more,
        )

    def _record(self, upstream: str, name: str) -> str:
        module = conformance.tool()
        if module is None:
            return upstream
        handler = module.make_proxy(upstream, str(self._file(name)))
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._serve(proxy)
        return f"http://127.0.0.1:{proxy.server_port}"

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _serve(self, server: Any) -> None:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        self._stops.append(lambda: (server.shutdown(), thread.join(), server.server_close()))


def _whole(app: Any) -> Callable[..., list[bytes]]:
    """The app, but each answer is read and its file closed before the first byte is sent.

    Werkzeug's server leaves open what it sends to a browser that has gone meanwhile.
    """

    def served(environ: Any, start_response: Any) -> list[bytes]:
        answer = app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return served


def _dispose(app: Any) -> None:
    """Requests that the browser left behind give their connections back first."""
    end = time.monotonic() + 5
    with app.app_context():
        db.session.remove()
        while db.engine.pool.checkedout() and time.monotonic() < end:  # type: ignore[attr-defined]
            time.sleep(0.02)
        db.engine.dispose()
