"""Checkout Sessions as the portal makes them, and a way to finish one without a browser."""

from __future__ import annotations

import time
from typing import Any

RETURN = "http://127.0.0.1:9/return?session_id={CHECKOUT_SESSION_ID}"
CANCEL = "http://127.0.0.1:9/addons"
CARD = {"allowed_payment_method_types": ["card"]}


def line(amount: int = 1500, currency: str = "usd", quantity: int = 1, name: str = "Seats") -> Any:
    product = {"name": name}
    price = {"currency": currency, "unit_amount": amount, "product_data": product}
    return {"quantity": quantity, "price_data": price}


def payment(customer: Any, *lines: Any, **more: Any) -> dict[str, Any]:
    return {
        **CARD,
        "mode": "payment",
        "customer": customer.id,
        "client_reference_id": "order-7",
        "metadata": {"order_id": "7"},
        "line_items": list(lines) or [line()],
        "payment_intent_data": {
            "setup_future_usage": "off_session",
            "metadata": {"order_id": "7"},
            "description": "Seats",
            "statement_descriptor_suffix": "PACK",
        },
        "expires_at": int(time.time()) + 1860,
        "success_url": RETURN,
        "cancel_url": CANCEL,
        **more,
    }


def saving(customer: Any, **more: Any) -> dict[str, Any]:
    return {
        **CARD,
        "mode": "setup",
        "currency": "usd",
        "customer": customer.id,
        "setup_intent_data": {"metadata": {"org_id": "1"}},
        "expires_at": int(time.time()) + 1860,
        "success_url": RETURN,
        "cancel_url": CANCEL,
        **more,
    }


def confirm(client: Any, session: str, method: str, **more: Any) -> dict[str, Any]:
    """What the page answers when this card is used on it."""
    path = f"/v1/payment_pages/{session}/confirm"
    answer = client.raw_request("post", path, payment_method=method, **more)
    return dict(answer.data)
