"""Checkout Sessions over the API: create, read, list, change metadata, expire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.sandbox import checkout, checkout_rules, line_items, lists, rules, setup_intents
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.currencies import check_amount
from portal.sandbox.customers import living
from portal.sandbox.errors import missing_object
from portal.sandbox.fields import copy_fields
from portal.sandbox.store import Object, new_id

_ID_LENGTH = 58
_COPIED = (
    "adaptive_pricing allowed_payment_method_types cancel_url client_reference_id customer "
    "customer_email locale submit_type success_url"
)


def create(call: Call) -> Object:
    params = call.params
    checkout_rules.check(params, call.now)
    email = params.get("customer_email")
    if params.get("customer"):
        email = living(call, params["customer"], "customer")["email"]
    session = _new(call, email)
    if params["mode"] == "payment":
        _price(call, session)
    call.store.insert(session)
    if params["mode"] == "setup":
        session["setup_intent"] = _begin_setup(call, session)
        call.store.save(session)
    call.later(session["expires_at"] - call.now, "expire_session", session["id"])
    return session


def _new(call: Call, email: str | None) -> Object:
    params = call.params
    identifier = new_id("cs_test_", _ID_LENGTH)
    session = rules.blank(
        checkout.KIND,
        id=identifier,
        object=checkout.KIND,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        created=call.now,
        custom_fields=[],
        custom_text=rules.blank("checkout.session.custom_text"),
        expires_at=params.get("expires_at", call.now + checkout_rules.LONGEST),
        livemode=False,
        metadata=params.get("metadata") or {},
        mode=params["mode"],
        payment_method_collection="if_required" if params["mode"] == "payment" else "always",
        payment_method_options={},
        payment_method_types=params.get("allowed_payment_method_types") or ["card"],
        payment_status="unpaid" if params["mode"] == "payment" else "no_payment_required",
        shipping_options=[],
        status="open",
        ui_mode="hosted_page",
        url=f"{call.base_url}/c/pay/{identifier}",
        **{name: params[name] for name in _COPIED.split() if name in params},
    )
    session["currency"] = params["currency"].lower() if "currency" in params else None
    if email:
        details = rules.blank("checkout.session.customer_details", email=email, tax_exempt="none")
        session["customer_details"] = details
    return session


def _price(call: Call, session: Object) -> None:
    lines = line_items.make(call, call.params["line_items"])
    currency, total = lines[0]["currency"], sum(line["amount_total"] for line in lines)
    checkout_rules.check_total(call.params, currency)
    check_amount(total, currency)
    session.update(
        amount_subtotal=total,
        amount_total=total,
        currency=currency,
        customer_creation=None if session["customer"] else "if_required",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        _line_items=lines,
        _payment_data=call.params.get("payment_intent_data", {}),
    )


def _begin_setup(call: Call, session: Object) -> str:
    params: dict[str, Any] = {
        **call.params.get("setup_intent_data", {}),
        "usage": "off_session",
        "allowed_payment_method_types": session["payment_method_types"],
    }
    if session["customer"]:
        params["customer"] = session["customer"]
    intent = setup_intents.create(replace(call, params=params))
    intent["_session"] = session["id"]
    return str(call.store.save(intent)["id"])


def retrieve(call: Call, session: str) -> Object:
    return call.get(checkout.KIND, session)


def update(call: Call, session: str) -> Object:
    found = call.get(checkout.KIND, session)
    copy_fields(found, call.params, ("metadata",))
    return call.store.save(found)


def expire(call: Call, session: str) -> Object:
    return checkout.expire(call, call.get(checkout.KIND, session))


def list_sessions(call: Call) -> Object:
    names = ("customer", "payment_intent", "status")
    equal = {name: call.params.get(name) for name in names}
    return lists.page(call, checkout.KIND, "/v1/checkout/sessions", **equal)


def list_lines(call: Call, session: str) -> Object:
    lines = call.get(checkout.KIND, session).get("_line_items", [])
    limit = lists.limit(call.params.get("limit", 10))
    start = 0
    if after := call.params.get("starting_after"):
        ids = [line["id"] for line in lines]
        if after not in ids:
            raise missing_object("item", after, "starting_after")
        start = ids.index(after) + 1
    return {
        "object": "list",
        "data": lines[start : start + limit],
        "has_more": len(lines) > start + limit,
        "url": f"/v1/checkout/sessions/{session}/line_items",
    }


_OWN = "/v1/checkout/sessions/{session}"
ROUTES: dict[str, Route] = {
    "POST /v1/checkout/sessions": route(
        create,
        _COPIED
        + " mode currency expires_at line_items metadata payment_intent_data setup_intent_data "
        + "ui_mode",
    ),
    "GET /v1/checkout/sessions": route(
        list_sessions, lists.PAGING + "created customer payment_intent status"
    ),
    f"GET {_OWN}": route(retrieve),
    f"POST {_OWN}": route(update, "metadata"),
    f"POST {_OWN}/expire": route(expire),
    f"GET {_OWN}/line_items": route(list_lines, "limit starting_after"),
}
