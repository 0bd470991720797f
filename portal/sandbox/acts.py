"""What cardholders and banks do, on request, under /_test/. Not Stripe's."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from portal.sandbox import disputes
from portal.sandbox.calls import Call
from portal.sandbox.control import given
from portal.sandbox.server import Server
from portal.sandbox.store import Object

_VERDICTS = ("won", "lost")
_YES = (True, "true", "1")


def create_acts(server: Server) -> Blueprint:
    acts = Blueprint("acts", __name__, url_prefix="/_test/disputes")

    @acts.post("/open")
    def open_dispute() -> ResponseReturnValue:
        sent = given()
        reason, inquiry = str(sent.get("reason", "fraudulent")), sent.get("inquiry") in _YES
        return _told(
            server, lambda call: disputes.start(call, _charge(call, sent), reason, inquiry)
        )

    @acts.post("/close")
    def close_dispute() -> ResponseReturnValue:
        sent = given()
        status, identifier = sent.get("status", "lost"), str(sent.get("dispute"))
        if status not in _VERDICTS:
            return jsonify(error="status is won or lost"), 400
        return _told(
            server, lambda call: disputes.finish(call, call.get("dispute", identifier), status)
        )

    return acts


def _told(server: Server, work: Callable[[Call], Object]) -> Response:
    """Do it, and say which dispute it was and how it stands."""
    found: list[Object] = []
    server.act("", lambda call: found.append(work(call)))
    return jsonify(id=found[0]["id"], status=found[0]["status"])


def _charge(call: Call, sent: dict[str, object]) -> Object:
    """The charge named by `charge`, or the last one of `payment_intent`."""
    if "payment_intent" in sent:
        intent = call.get("payment_intent", str(sent["payment_intent"]))
        return call.get("charge", str(intent["latest_charge"]))
    return call.get("charge", str(sent.get("charge")))
