"""Stripe's events: written with the change they tell of, read back for reconciliation."""

from __future__ import annotations

import copy
from typing import Any

from portal.sandbox import lists, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object, new_id, public

MOST_KINDS = 20  # in one question. Source: docs.stripe.com/api/events/list


def emit(call: Call, kind: str, thing: Object, previous: dict[str, Any] | None = None) -> None:
    """Record that something happened to `thing`, as it is now; `previous` holds changed values."""
    shown: dict[str, Any] = {"object": copy.deepcopy(public(thing))}
    if previous is not None:
        shown["previous_attributes"] = previous
    event = rules.blank(
        "event",
        id=new_id("evt_"),
        object="event",
        api_version=rules.API_VERSION,
        created=call.now,
        data=shown,
        livemode=False,
        pending_webhooks=int(call.has_webhook),
        request={"id": call.request_id, "idempotency_key": call.idempotency_key},
        type=kind,
    )
    call.events.append(call.store.insert(event))


def emit_update(call: Call, kind: str, before: Object, after: Object) -> None:
    """Tell of a change, with the old values of what changed; nothing if nothing did."""
    old, new = public(before), public(after)
    previous = {k: old.get(k) for k in new if old.get(k) != new[k]}
    if previous:
        emit(call, kind, after, previous)


def retrieve(call: Call, identifier: str) -> Object:
    return call.get("event", identifier)


def list_events(call: Call) -> Object:
    kinds = call.params.get("types") or []
    if "type" in call.params:
        kinds = [call.params["type"]]
    if len(kinds) > MOST_KINDS:
        raise ApiError(f"You may name at most {MOST_KINDS} event types.", param="types")
    where, values = ["kind = ?"], ["event"]
    if kinds:
        patterns = " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in kinds)
        where.append(f"({patterns})")
        values.extend(kinds)
    if "delivery_success" in call.params:
        sign = "=" if call.params["delivery_success"] else ">"
        where.append(f"json_extract(body, '$.pending_webhooks') {sign} 0")
    lists.created(call.params.get("created"), where, values)
    return lists.select(call, "event", "/v1/events", where, values)


ROUTES: dict[str, Route] = {
    "GET /v1/events": route(list_events, lists.PAGING + "created type types delivery_success"),
    "GET /v1/events/{id}": route(retrieve),
}
