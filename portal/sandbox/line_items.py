"""What a Checkout Session sells: lines, each with a price made for it."""

from __future__ import annotations

from typing import Any

from portal.sandbox import rules
from portal.sandbox.calls import Call
from portal.sandbox.errors import ApiError, missing_parameter, unsupported
from portal.sandbox.products import price_of
from portal.sandbox.store import Object, new_id


def make(call: Call, given: list[dict[str, Any]]) -> list[Object]:
    """Raises ApiError 400 for lines that cannot be sold."""
    lines = [_line(call, one, f"line_items[{number}]") for number, one in enumerate(given)]
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise ApiError(
            "The `line_items` parameter contains prices in more than one currency: "
            f"{', '.join(sorted(currencies))}. All prices of a Checkout Session must have the "
            "same currency.",
            param="line_items",
        )
    return lines


def _line(call: Call, given: dict[str, Any], where: str) -> Object:
    for name in sorted(set(given) - {"price", "price_data", "quantity", "metadata"}):
        raise unsupported(f"the parameter `{where}[{name}]`", f"{where}[{name}]")
    if "quantity" not in given:
        raise missing_parameter(f"{where}[quantity]")
    quantity = given["quantity"]
    if quantity < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=f"{where}[quantity]",
        )
    price, name = _price(call, given, where)
    total = price["unit_amount"] * quantity
    return rules.blank(
        "item",
        id=new_id("li_1"),
        object="item",
        amount_discount=0,
        amount_subtotal=total,
        amount_tax=0,
        amount_total=total,
        currency=price["currency"],
        description=name,
        metadata=given.get("metadata") or {},
        price=price,
        quantity=quantity,
    )


def _check_price(given: dict[str, Any], where: str) -> None:
    if "recurring" in given:
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param=f"{where}[recurring]",
        )
    for name in ("product", "unit_amount_decimal"):
        if name in given:
            raise unsupported(f"the parameter `{where}[{name}]`", f"{where}[{name}]")
    for name in ("unit_amount", "product_data"):
        if name not in given:
            raise missing_parameter(f"{where}[{name}]")
    if given["unit_amount"] < 0:
        raise ApiError(
            "Invalid non-negative integer",
            code="parameter_invalid_integer",
            param=f"{where}[unit_amount]",
        )


def _price(call: Call, given: dict[str, Any], where: str) -> tuple[Object, str]:
    """The price of a line, and what the line is called. Raises ApiError 400."""
    if "price" in given:
        price = call.get("price", given["price"], f"{where}[price]")
        return price, str(call.get("product", price["product"])["name"])
    if "price_data" not in given:
        raise missing_parameter(f"{where}[price_data]")
    made = given["price_data"]
    _check_price(made, f"{where}[price_data]")
    product = new_id("prod_", 14)
    price = price_of(call.now, made["currency"], made["unit_amount"], product)
    price["tax_behavior"] = made.get("tax_behavior", "unspecified")
    return price, str(made["product_data"]["name"])
