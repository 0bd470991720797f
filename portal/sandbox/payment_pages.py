"""The hosted page without a browser: undocumented at Stripe, used by its command line tool."""

from __future__ import annotations

from portal.sandbox import checkout, payment_methods
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object

_CONFIRM = {
    "o": {
        "payment_method": "str",
        "expected_amount": "int",
        "return_url": "str",
        "expand": {"l": "str"},
    },
    "r": ["payment_method"],
}
_READ = {"o": {"expand": {"l": "str"}}}
_SHOWN = "amount_total currency livemode mode payment_intent payment_status setup_intent status url"


def retrieve(call: Call, session: str) -> Object:
    return _page(call.get(checkout.KIND, session))


def confirm(call: Call, session: str) -> Object:
    """Use a card, such as a `pm_card_...`, as the customer would on the page."""
    found = call.get(checkout.KIND, session)
    expected = call.params.get("expected_amount", found["amount_total"])
    if expected != found["amount_total"]:
        raise ApiError("The amount of this page has changed.", param="expected_amount")
    method = payment_methods.get(call, call.params["payment_method"])
    checkout.submit(call, found, method)
    return _page(call.get(checkout.KIND, session))


def _page(session: Object) -> Object:
    shown = {name: session[name] for name in _SHOWN.split()}
    return {"id": session["id"], "object": "payment_page", "session_id": session["id"], **shown}


ROUTES: dict[str, Route] = {
    "GET /v1/payment_pages/{session}": route(retrieve, rule=_READ),
    "POST /v1/payment_pages/{session}/confirm": route(
        confirm, "payment_method expected_amount return_url", _CONFIRM
    ),
}
