"""Products and one-time prices: as little as a line that names a price needs."""

from __future__ import annotations

from portal.sandbox import events
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.store import Object, new_id

_EXPAND = {"l": "str"}
_READ = {"o": {"expand": _EXPAND}}
_PRODUCT = {
    "o": {"name": "str", "description": "str", "metadata": "map", "expand": _EXPAND},
    "r": ["name"],
}
_PRICE = {
    "o": {
        "currency": "str",
        "product": "str",
        "unit_amount": "int",
        "nickname": "str",
        "metadata": "map",
        "expand": _EXPAND,
    },
    "r": ["currency", "product", "unit_amount"],
}


def create_product(call: Call) -> Object:
    product = {
        "id": new_id("prod_", 14),
        "object": "product",
        "active": True,
        "created": call.now,
        "default_price": None,
        "description": call.params.get("description"),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": call.params.get("metadata") or {},
        "name": call.params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": call.now,
        "url": None,
    }
    events.emit(call, "product.created", call.store.insert(product))
    return product


def create_price(call: Call) -> Object:
    params = call.params
    product = call.get("product", params["product"], "product")
    price = price_of(call.now, params["currency"], params["unit_amount"], product["id"])
    price.update(
        active=True, metadata=params.get("metadata") or {}, nickname=params.get("nickname")
    )
    events.emit(call, "price.created", call.store.insert(price))
    return price


def price_of(now: int, currency: str, unit_amount: int, product: str) -> Object:
    """A one-time price in minor units, not stored: what a line makes for itself is inactive."""
    return {
        "id": new_id("price_1"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency.lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def retrieve_product(call: Call, identifier: str) -> Object:
    return call.get("product", identifier)


def retrieve_price(call: Call, identifier: str) -> Object:
    return call.get("price", identifier)


ROUTES: dict[str, Route] = {
    "POST /v1/products": route(create_product, "name description metadata", _PRODUCT),
    "GET /v1/products/{identifier}": route(retrieve_product, rule=_READ),
    "POST /v1/prices": route(
        create_price, "currency product unit_amount nickname metadata", _PRICE
    ),
    "GET /v1/prices/{identifier}": route(retrieve_price, rule=_READ),
}
