"""A sandbox over real HTTP, the unmodified stripe library as its client, and a webhook receiver."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from portal.sandbox.app import create_sandbox
from portal.sandbox.serving import bind
from portal.sandbox.webhooks import Endpoint
from tests.support import conformance

stripe.enable_telemetry = False
SECRET = "whsec_sandbox_tests"
KEY = "sk_test_sandbox"


def wait_for(condition: Any, seconds: float = 5.0) -> Any:
    """The first true value of `condition()`; fails the test if none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.005)
    pytest.fail("it did not happen in time")


class Receiver:
    """A webhook endpoint that answers as scripted (then 200) and keeps what it got."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.deliveries: list[dict[str, Any]] = []
        receiver = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.deliveries.append(
                    {
                        "headers": dict(self.headers),
                        "body": body,
                        "status": status,
                        "ts": time.time(),
                    }
                )
                self.send_response(status)
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(d["body"]) for d in self.deliveries]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


@dataclass
class Clock:
    """The sandbox's time: the wall's, unless moved."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Running:
    """One sandbox on its own port. `url` goes through the recorder where there is one."""

    direct: str
    url: str
    wrong_url: str
    clock: Clock
    stop: Callable[[], None]
    clients: list[stripe.RequestsClient] = field(default_factory=list)

    def client(self, key: str = KEY, retries: int = 0, url: str | None = None) -> Any:
        http = stripe.RequestsClient(timeout=10)
        self.clients.append(http)
        return stripe.StripeClient(
            key,
            base_addresses={"api": url or self.url},
            http_client=http,
            max_network_retries=retries,
        ).v1

    def hang_up(self) -> None:
        """Close the connections of every client made so far."""
        while self.clients:
            self.clients.pop().close()

    def control(self, path: str, **given: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.direct}/_test/{path}",
            json.dumps(given).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.direct}/_test/state") as answer:
            return dict(json.load(answer))


class Starter:
    """Starts sandboxes and, when the test is over, stops them and judges what they said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stops: list[Any] = []
        self._number = 0
        self._clients: list[Running] = []

    def __call__(
        self,
        state: Path | None = None,
        webhook: str | None = None,
        retry_delays: tuple[float, ...] = (0.02, 0.05, 0.1),
        public_base: str | None = None,
    ) -> Running:
        clock = Clock()
        endpoint = Endpoint(webhook, SECRET) if webhook else None
        app = create_sandbox(state, endpoint, clock, retry_delays, public_base)
        server = bind(app)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self._number += 1
        direct = f"http://127.0.0.1:{server.port}"
        good, wrong = self._record(direct, "good"), self._record(direct, "wrong")

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()
            app.extensions["sandbox"].close()

        running = Running(direct, good, wrong, clock, stop)
        self._stops.append(stop)
        self._clients.append(running)
        return running

    def _record(self, upstream: str, name: str) -> str:
        module = conformance.tool()
        if module is None:
            return upstream
        out = self._folder / f"{name}-{self._number}.jsonl"
        handler = module.make_proxy(upstream, str(out))
        handler.disable_nagle_algorithm = True  # else each answer may wait 40 ms for its body
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=proxy.serve_forever, args=(0.01,)).start()
        self._stops.append(lambda: (proxy.shutdown(), proxy.server_close()))
        return f"http://127.0.0.1:{proxy.server_port}"

    def stop(self, running: Running) -> None:
        """End this one now, as a crash or a deployment would."""
        running.stop()
        self._stops.remove(running.stop)

    def close(self) -> None:
        for running in self._clients:
            running.hang_up()
        for stop in reversed(self._stops):
            stop()

    def errors(self) -> list[Any]:
        """What the checker holds against the sandbox, or against a client that meant well.

        Each exchange is judged once: the recordings are emptied.
        """
        if conformance.tool() is None:
            return []
        found = []
        for path in sorted(self._folder.glob("*.jsonl")):
            errors = conformance.errors(conformance.read(path))
            found += [f for f in errors if path.name.startswith("good") or f.side != "client"]
            path.write_text("", encoding="utf-8")
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """For tests that need a sandbox of their own kind."""
    starter = Starter(tmp_path)
    yield starter
    starter.close()
    assert starter.errors() == []


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Starter, Running]]:
    starter = Starter(tmp_path_factory.mktemp("recorded"))
    yield starter, starter()
    starter.close()


@pytest.fixture
def running(shared: tuple[Starter, Running]) -> Iterator[Running]:
    """The sandbox of the whole session, emptied."""
    starter, running = shared
    running.control("reset")
    running.clock.ahead = 0
    yield running
    running.hang_up()
    assert starter.errors() == []


@pytest.fixture
def api(running: Running) -> Any:
    """The stripe library, sending only what Stripe accepts."""
    return running.client()


@pytest.fixture
def wrong_api(running: Running) -> Any:
    """The stripe library, for requests that are wrong on purpose."""
    return running.client(url=running.wrong_url)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
    if conformance.tool() is not None:
        assert conformance.errors(receiver.deliveries, SECRET) == []


@pytest.fixture
def customer(api: Any) -> Any:
    return api.customers.create({"email": "ada@example.com", "name": "Ada"})


@pytest.fixture
def saved_card(api: Any, customer: Any) -> Any:
    return api.payment_methods.attach("pm_card_visa", {"customer": customer.id})


def charge_params(customer: Any, method: str, amount: int = 1500, **more: Any) -> dict[str, Any]:
    """An immediate off-session charge, as the portal makes them."""
    return {
        "amount": amount,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": method,
        "off_session": True,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **more,
    }
