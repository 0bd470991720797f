"""Answers one API request: key, fault, idempotency, rules, work, expansion, stored answer."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from portal.sandbox import rules
from portal.sandbox.calls import Call, Deed, Route
from portal.sandbox.errors import (
    STORED_STATUSES,
    ApiError,
    CardError,
    rate_limited,
    server_error,
    unsupported,
)
from portal.sandbox.expand import expand
from portal.sandbox.faults import Fault, Faults, Mode
from portal.sandbox.forms import parse_form
from portal.sandbox.idempotency import Answer, Keys, fingerprint
from portal.sandbox.store import Object, Store, new_id, public
from portal.sandbox.webhooks import Webhooks


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; `query` and `body` as they were sent."""

    method: str
    path: str
    query: str
    body: str
    base_url: str
    key: str | None = None
    version: str | None = None

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.method, f"{self.path}?{self.query}", self.body)


class Server:
    """The API without its HTTP clothes."""

    def __init__(
        self,
        store: Store,
        faults: Faults,
        webhooks: Webhooks,
        clock: Callable[[], float],
        deeds: Mapping[str, Deed],
    ) -> None:
        self._store, self._faults, self._webhooks = store, faults, webhooks
        self._keys, self._clock, self._deeds = Keys(store), clock, deeds

    def answer(self, operation: str, route: Route, ids: list[str], request: Request) -> Answer:
        """Raises ApiError for what Stripe refuses before work starts, Dropped for a fault."""
        fault = self._faults.take(request.line)
        if fault and fault.mode is Mode.RATE_LIMIT:
            raise rate_limited()
        if request.method != "POST" or not request.key:
            return self._work(operation, route, ids, request, fault)
        stored = self._keys.begin(request.key, request.fingerprint, self.now())
        if stored is not None:
            return stored
        try:
            return self._work(operation, route, ids, request, fault)
        finally:
            self._keys.end(request.key)

    def _work(
        self, operation: str, route: Route, ids: list[str], request: Request, fault: Fault | None
    ) -> Answer:
        mode = fault.mode if fault else None
        if fault and mode is Mode.DELAY:
            time.sleep(fault.seconds)
        if mode is Mode.BEFORE_DROP:
            raise Dropped
        request_id = new_id("req_", 14)
        with self._store.transaction() as db:
            if mode is Mode.BEFORE_500:
                answer = _refusal(server_error(), request_id)
            else:
                answer = self._do(db, operation, route, ids, request, request_id)
            if mode is Mode.AFTER_500:
                answer = _refusal(server_error(), request_id)
            if request.key and (answer.status == 200 or answer.status in STORED_STATUSES):
                self._keys.keep(db, request.key, request.fingerprint, self.now(), answer)
        self._webhooks.wake()
        if mode is Mode.AFTER_DROP:
            raise Dropped
        return answer

    def act(self, base_url: str, work: Callable[[Call], None]) -> None:
        """Do what no API request asked for, such as a click on a hosted page.

        A refused card is an outcome: what `work` did before stays, as after an API request.
        """
        with self._store.transaction() as db:
            self._catch_up(db)
            call = self._call({}, base_url)
            with suppress(CardError):
                work(call)
            self._webhooks.schedule(db, call.events)
        self._webhooks.wake()

    def now(self) -> int:
        """Epoch seconds."""
        return int(self._clock())

    def tick(self) -> None:
        """Do what has become due since the last request."""
        with self._store.transaction() as db:
            self._catch_up(db)

    def _catch_up(self, db: sqlite3.Connection) -> None:
        """Time's own work comes before the request that might notice it."""
        due = self._store.take_due(self.now())
        if not due:
            return
        call = self._call({}, "")
        for deed, identifier in due:
            self._deeds[deed](call, identifier)
        self._webhooks.schedule(db, call.events)

    def _do(
        self,
        db: sqlite3.Connection,
        operation: str,
        route: Route,
        ids: list[str],
        request: Request,
        request_id: str,
    ) -> Answer:
        self._catch_up(db)
        call = self._call(_parameters(operation, route, request), request.base_url)
        call.request_id, call.idempotency_key = request_id, request.key
        call.pinned = request.version is not None
        try:
            result = public(route.run(call, *ids))
            result = expand(self._store, result, call.params.get("expand", ()))
            answer = Answer(200, _text(result), request_id)
        except CardError as error:  # the failed attempt stays, so no rollback
            answer = _refusal(error, request_id)
        self._webhooks.schedule(db, call.events)
        return answer

    def _call(self, params: dict[str, Any], base_url: str) -> Call:
        has_webhook = self._webhooks.endpoint is not None
        return Call(self._store, params, self.now(), base_url, has_webhook=has_webhook)


def _parameters(operation: str, route: Route, request: Request) -> dict[str, Any]:
    given = parse_form(request.query)
    if request.method == "POST":
        given.update(parse_form(request.body))
    checked = rules.validate(operation, given, request.version is not None, route.rule)
    beyond = sorted(set(checked) - route.takes)
    if beyond:
        raise unsupported(f"the parameter `{beyond[0]}` of {operation}", beyond[0])
    return checked


def _refusal(error: ApiError, request_id: str) -> Answer:
    return Answer(error.status, _text(error.body), request_id)


def _text(body: Object) -> str:
    return json.dumps(body, indent=2)
