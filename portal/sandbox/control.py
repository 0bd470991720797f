"""The sandbox's own switches under /_test/: faults, webhook order, reset, counts. Not Stripe's."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.sandbox import faults, webhooks
from portal.sandbox.clock import MovableClock
from portal.sandbox.store import Store


def create_control(
    store: Store,
    waiting: faults.Faults,
    deliveries: webhooks.Webhooks,
    clock: MovableClock,
) -> Blueprint:
    control = Blueprint("control", __name__, url_prefix="/_test")

    @control.post("/faults")
    def add_fault() -> ResponseReturnValue:
        sent = given()
        try:
            fault = faults.Fault(
                match=str(sent["match"]),
                mode=faults.Mode(str(sent["mode"])),
                n=int(sent.get("n", 1)),
                seconds=float(sent.get("seconds", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            return jsonify(error=f"{type(error).__name__}: {error}"), 400
        waiting.add(fault)
        return jsonify(waiting=waiting.count())

    @control.post("/webhooks")
    def set_webhooks() -> ResponseReturnValue:
        sent = given()
        try:
            deliveries.mode = webhooks.Mode(str(sent.get("mode")))
        except ValueError as error:
            return jsonify(error=str(error)), 400
        released = 0
        if deliveries.mode is not webhooks.Mode.HOLD:
            released = deliveries.release(reverse=sent.get("order") == "reverse")
        return jsonify(mode=deliveries.mode, released=released)

    @control.post("/reset")
    def reset() -> ResponseReturnValue:
        with store.transaction():
            store.clear()
        waiting.clear()
        clock.ahead = 0.0
        deliveries.mode = webhooks.Mode.DELIVER
        return jsonify(reset=True)

    @control.post("/clock")
    def advance() -> ResponseReturnValue:
        try:
            clock.advance(float(given()["advance"]))
        except (KeyError, TypeError, ValueError) as error:
            return jsonify(error=f"{type(error).__name__}: {error}"), 400
        deliveries.wake()
        return jsonify(ahead=clock.ahead)

    @control.get("/state")
    def state() -> ResponseReturnValue:
        with store.transaction():
            objects = store.counts()
        return jsonify(
            objects=objects,
            deliveries=deliveries.counts(),
            webhook_mode=deliveries.mode,
            faults_waiting=waiting.count(),
        )

    return control


def given() -> dict[str, Any]:
    """JSON or a form, whichever was sent."""
    sent = request.get_json(silent=True)
    return sent if isinstance(sent, dict) else request.form.to_dict()
