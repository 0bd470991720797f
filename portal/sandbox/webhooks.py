"""Delivers events to one webhook URL: signed, in a thread of its own, retried until accepted."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from portal.sandbox.store import Object, Store

# seconds before each further try; Stripe's own take hours, which no demo can wait for
RETRY_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_TIMEOUT = 20.0
_IDLE = 1.0  # seconds between looks when nothing is due


class Mode(StrEnum):
    """What happens to the events of coming requests."""

    DELIVER = "deliver"
    HOLD = "hold"  # kept back until released
    DUPLICATE = "duplicate"  # each is delivered twice
    REVERSE = "reverse"  # the events of one request are delivered last first
    DROP = "drop"  # never delivered


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go, and the secret they are signed with."""

    url: str
    secret: str


def _nothing() -> None:
    """Nothing happens by itself."""


def signature(payload: str, secret: str, timestamp: int) -> str:
    """The Stripe-Signature header. Source: docs.stripe.com/webhooks, scheme v1."""
    signed = f"{timestamp}.{payload}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Webhooks:
    """The queue of deliveries, kept in the store so that a restart goes on with it."""

    def __init__(
        self,
        store: Store,
        endpoint: Endpoint | None,
        clock: Callable[[], float],
        delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self.endpoint = endpoint
        self.mode = Mode.DELIVER
        self.each_round: Callable[[], None] = _nothing
        """Called before each look at the queue: time passes also while nobody asks."""
        self._store, self._clock, self._delays = store, clock, delays
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self.endpoint is not None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def schedule(self, db: sqlite3.Connection, events: Sequence[Object]) -> None:
        """Queue the events of one request, as the mode says; in that request's transaction."""
        if self.endpoint is None:
            return
        states = {Mode.HOLD: "held", Mode.DROP: "dropped"}
        state = states.get(self.mode, "waiting")
        ordered = list(reversed(events)) if self.mode is Mode.REVERSE else list(events)
        for event in ordered:
            for _ in range(2 if self.mode is Mode.DUPLICATE else 1):
                db.execute(
                    "INSERT INTO deliveries (event, state, due_at) VALUES (?, ?, ?)",
                    (event["id"], state, self._clock()),
                )

    def wake(self) -> None:
        """Look at the queue now; call it after the transaction."""
        self._wake.set()

    def release(self, reverse: bool = False) -> int:
        """Let held deliveries go, oldest event first or last; how many there were."""
        with self._store.transaction() as db:
            order = "DESC" if reverse else "ASC"
            held = db.execute(
                f"SELECT n, event FROM deliveries WHERE state = 'held' ORDER BY n {order}"  # noqa: S608
            ).fetchall()
            for n, event in held:  # queued anew: deliveries leave in the order of their numbers
                db.execute("DELETE FROM deliveries WHERE n = ?", (n,))
                db.execute(
                    "INSERT INTO deliveries (event, state, due_at) VALUES (?, 'waiting', ?)",
                    (event, self._clock()),
                )
        self.wake()
        return len(held)

    def counts(self) -> dict[str, int]:
        """Deliveries by state: waiting, held, delivered, failed, dropped."""
        with self._store.transaction() as db:
            return dict(db.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            self.each_round()
            if not self._deliver_next():
                self._wake.wait(_IDLE if not self._delays else min(_IDLE, self._delays[0]))

    def _deliver_next(self) -> bool:
        """Try the first delivery that is due; False if none is."""
        with self._store.transaction() as db:
            row = db.execute(
                "SELECT n, event, attempts FROM deliveries WHERE state = 'waiting' AND due_at <= ? "
                "ORDER BY n LIMIT 1",
                (self._clock(),),
            ).fetchone()
            event = self._store.find("event", row[1]) if row else None
        if row is None or event is None:
            return False
        self._record(row[0], event, row[2] + 1, self._send(event))
        return True

    def _record(self, n: int, event: Object, attempts: int, accepted: bool) -> None:
        with self._store.transaction() as db:
            if accepted:
                state, due = "delivered", self._clock()
                self._store.save({**event, "pending_webhooks": 0})
            elif attempts <= len(self._delays):
                state, due = "waiting", self._clock() + self._delays[attempts - 1]
            else:
                state, due = "failed", self._clock()
            db.execute(
                "UPDATE deliveries SET state = ?, attempts = ?, due_at = ? WHERE n = ?",
                (state, attempts, due, n),
            )

    def _send(self, event: Object) -> bool:
        """Whether the endpoint took the event: any 2xx answer."""
        assert self.endpoint is not None  # noqa: S101  the thread runs only with one
        payload = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self.endpoint.secret, int(self._clock())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        url = urlsplit(self.endpoint.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT)
        try:
            target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
            connection.request("POST", target, payload.encode(), headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
