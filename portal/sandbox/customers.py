"""Customers: create, read, change, delete, and their payment methods."""

from __future__ import annotations

from typing import Any

from portal.sandbox import events, lists, payment_methods, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.errors import ApiError, missing_object
from portal.sandbox.fields import address, copy_fields
from portal.sandbox.store import Object, new_id, public

_PLAIN = (
    "balance business_name description email individual_name invoice_prefix metadata name "
    "next_invoice_sequence phone preferred_locales tax_exempt"
)
_NESTED = " address shipping invoice_settings"


def create(call: Call) -> Object:
    customer = rules.blank(
        "customer",
        id=new_id("cus_", 14),
        object="customer",
        balance=0,
        created=call.now,
        delinquent=False,
        invoice_prefix=new_id("", 8).upper(),
        invoice_settings=rules.blank("customer.invoice_settings"),
        livemode=False,
        metadata={},
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
    )
    call.store.insert(customer)
    method = call.params.get("payment_method")
    if method:
        payment_methods.attach_to(call, method, customer["id"])
    _apply(call, customer)
    events.emit(call, "customer.created", call.store.save(customer))
    return customer


def retrieve(call: Call, customer: str) -> Object:
    return call.get("customer", customer)


def update(call: Call, customer: str) -> Object:
    found = living(call, customer)
    before = {**found}
    _apply(call, found)
    events.emit_update(call, "customer.updated", before, call.store.save(found))
    return found


def delete(call: Call, customer: str) -> Object:
    """Leaves a stub that says `deleted`, as Stripe does."""
    found = living(call, customer)
    for method in call.store.select(
        "kind = 'payment_method' AND customer = ?", [customer], "seq", 1_000_000
    ):
        payment_methods.release(call, method)
    events.emit(call, "customer.deleted", found)
    stub = {"id": customer, "object": "customer", "deleted": True}
    call.store.save(stub)
    return stub


def list_customers(call: Call) -> Object:
    return lists.page(call, "customer", "/v1/customers", email=call.params.get("email"))


def list_methods(call: Call, customer: str) -> Object:
    living(call, customer)
    url = f"/v1/customers/{customer}/payment_methods"
    kind = call.params.get("type")
    return lists.page(call, "payment_method", url, customer=customer, type=kind)


def retrieve_method(call: Call, customer: str, payment_method: str) -> Object:
    found = call.get("payment_method", payment_method)
    if found["customer"] != customer:
        raise missing_object("payment_method", payment_method)
    return found


def living(call: Call, identifier: str, param: str = "id") -> Object:
    """A customer that was not deleted."""
    found = call.get("customer", identifier, param)
    if found.get("deleted"):
        raise missing_object("customer", identifier, param)
    return found


def _apply(call: Call, customer: Object) -> None:
    copy_fields(customer, call.params, _PLAIN.split())
    if "address" in call.params:
        customer["address"] = address(call.params["address"])
    if "shipping" in call.params:
        shipping = call.params["shipping"]
        customer["shipping"] = public_shipping(shipping) if shipping else None
    settings = call.params.get("invoice_settings", {})
    _check_default(call, customer, settings.get("default_payment_method"))
    merged = {**customer["invoice_settings"]}
    copy_fields(merged, settings, settings)
    customer["invoice_settings"] = merged


def public_shipping(given: dict[str, Any]) -> Object:
    return {**public(given), "address": address(given.get("address"))}


def _check_default(call: Call, customer: Object, method: str | None) -> None:
    if not method:
        return
    param = "invoice_settings[default_payment_method]"
    found = call.get("payment_method", method, param)
    if found["customer"] != customer["id"]:
        raise ApiError(
            f"The customer does not have a payment method with the ID {method}. The payment method "
            "must be attached to the customer.",
            param=param,
        )


ROUTES: dict[str, Route] = {
    "POST /v1/customers": route(create, _PLAIN + _NESTED + " payment_method"),
    "GET /v1/customers": route(list_customers, lists.PAGING + "created email"),
    "GET /v1/customers/{customer}": route(retrieve),
    "POST /v1/customers/{customer}": route(update, _PLAIN + _NESTED),
    "DELETE /v1/customers/{customer}": route(delete),
    "GET /v1/customers/{customer}/payment_methods": route(
        list_methods, lists.PAGING + "type allow_redisplay"
    ),
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": route(retrieve_method),
}
