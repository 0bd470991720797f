"""The sandbox as a Flask application: routes, headers, error answers."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from portal.sandbox import (
    balance,
    charges,
    checkout,
    checkout_sessions,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    payment_pages,
    products,
    refunds,
    rules,
    search,
    setup_intents,
)
from portal.sandbox.acts import create_acts
from portal.sandbox.calls import Deed, Route
from portal.sandbox.checkout_pages import create_checkout
from portal.sandbox.clock import MovableClock
from portal.sandbox.control import create_control
from portal.sandbox.errors import STORED_STATUSES, ApiError, unknown_url
from portal.sandbox.faults import Faults
from portal.sandbox.idempotency import Answer
from portal.sandbox.keys import check_key
from portal.sandbox.pages import create_assets, render
from portal.sandbox.server import Dropped, Request, Server
from portal.sandbox.store import Store, new_id
from portal.sandbox.three_d_secure import create_pages
from portal.sandbox.webhooks import RETRY_DELAYS, Endpoint, Webhooks

ROUTES: dict[str, Route] = {
    **customers.ROUTES,
    **payment_methods.ROUTES,
    **payment_intents.ROUTES,
    **setup_intents.ROUTES,
    **checkout_sessions.ROUTES,
    **charges.ROUTES,
    **refunds.ROUTES,
    **disputes.ROUTES,
    **balance.ROUTES,
    **events.ROUTES,
}
OWN_RULES: dict[str, Route] = {**payment_pages.ROUTES, **products.ROUTES, **search.ROUTES}
"""Operations whose parameters are described beside them, not in rules.json."""
DEEDS: dict[str, Deed] = {**checkout.DEEDS, **refunds.DEEDS, **disputes.DEEDS}
TEMPLATES = Path(__file__).parents[2] / "templates"
HOSTED = ("/c/pay/", "/3ds/")  # people come here, not programs
HOME = "Stripe sandbox. No real card is charged.\n"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The parts of a running sandbox, at `app.extensions["sandbox"]`."""

    store: Store
    faults: Faults
    webhooks: Webhooks
    server: Server

    def close(self) -> None:
        self.webhooks.stop()
        self.store.close()


def create_sandbox(
    state: Path | None = None,
    endpoint: Endpoint | None = None,
    clock: Callable[[], float] = time.time,
    retry_delays: Sequence[float] = RETRY_DELAYS,
    public_base: str | None = None,
) -> Flask:
    """A sandbox with its delivery thread started; without `state` it forgets when it ends.

    `public_base` begins the addresses it hands out, if browsers reach it by another one.
    """
    store, faults = Store(state), Faults()
    webhooks = Webhooks(store, endpoint, clock, retry_delays)
    moved = MovableClock(clock)
    server = Server(store, faults, webhooks, moved, DEEDS)
    webhooks.each_round = server.tick
    sandbox = Sandbox(store, faults, webhooks, server)
    app = Flask(__name__, static_folder=None, template_folder=str(TEMPLATES))
    app.extensions["sandbox"] = sandbox
    app.config["PUBLIC_BASE"] = public_base
    app.register_blueprint(create_control(store, faults, webhooks, moved))
    app.register_blueprint(create_acts(server))
    app.register_blueprint(create_pages(store, server))
    app.register_blueprint(create_checkout(store, server))
    app.register_blueprint(create_assets())
    app.add_url_rule("/", "home", lambda: Response(HOME, mimetype="text/plain"))
    app.add_url_rule("/healthz", "healthz", _health)
    for operation, route in {**ROUTES, **OWN_RULES}.items():
        _add(app, operation, route, server)
    app.register_error_handler(ApiError, _refuse)
    app.register_error_handler(Dropped, _drop)
    app.register_error_handler(HTTPException, _other)
    webhooks.start()
    return app


def _health() -> dict[str, object]:
    """process: by which a start tells its own sandbox from another's on the same port."""
    return {"status": "ok", "sandbox": True, "process": os.getpid()}


def _add(app: Flask, operation: str, route: Route, server: Server) -> None:
    method, path = operation.split(" ")
    names = re.findall(r"{(\w+)}", path)

    def view(**ids: str) -> ResponseReturnValue:
        check_key(request.headers.get("Authorization"))
        arguments = [ids[name] for name in names]
        return _send(server.answer(operation, route, arguments, _incoming()))

    app.add_url_rule(re.sub(r"{(\w+)}", r"<\1>", path), operation, view, methods=[method])


def _incoming() -> Request:
    return Request(
        method=request.method,
        path=request.path,
        query=request.query_string.decode(),
        body=request.get_data(as_text=True),
        base_url=(current_app.config["PUBLIC_BASE"] or request.host_url).rstrip("/"),
        key=request.headers.get("Idempotency-Key") or None,
        version=request.headers.get("Stripe-Version"),
    )


def _send(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, mimetype="application/json")
    response.headers["Request-Id"] = answer.request_id
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.request_id
    if answer.status in STORED_STATUSES:  # a retry would only be told the same again
        response.headers["Stripe-Should-Retry"] = "false"
    return _common(response)


def _common(response: Response) -> Response:
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", rules.API_VERSION)
    if key := request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = key
    return response


def _refuse(error: ApiError) -> Response:
    response = Response(json.dumps(error.body, indent=2), error.status, mimetype="application/json")
    response.headers["Request-Id"] = new_id("req_", 14)
    if error.status == 409:
        response.headers["Stripe-Should-Retry"] = "true"
    if error.status == 429:
        response.headers["Stripe-Rate-Limited-Reason"] = "global-rate"
    return _common(response)


def _other(error: HTTPException) -> Response:
    """Addresses the sandbox does not serve, the key checked first; and its own bugs."""
    if (error.code or 500) >= 500:
        return _refuse(ApiError("The sandbox failed; see its log.", 500, "api_error"))
    if request.path.startswith(HOSTED):
        return render("missing.html", [], 404)
    if request.path.startswith("/v1/"):
        try:
            check_key(request.headers.get("Authorization"))
        except ApiError as refused:
            return _refuse(refused)
    return _refuse(unknown_url(request.method, request.path))


def _drop(error: Dropped) -> Response:
    """Close the connection under the server's hands; nothing of the answer is sent."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response("", 502)
