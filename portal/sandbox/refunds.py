"""Refunds: full or in parts, of charges that succeeded; some settle or fail a while later."""

from __future__ import annotations

from portal.sandbox import balance, cards, events, lists, rules
from portal.sandbox.calls import Call, Deed, Route, route
from portal.sandbox.currencies import spoken
from portal.sandbox.errors import ApiError
from portal.sandbox.fields import copy_fields
from portal.sandbox.payment_methods import card_of
from portal.sandbox.store import Object, new_id

SETTLES_AFTER = 10  # seconds; days at Stripe, which no demo can wait for
_UPDATED = ("charge.refund.updated", "refund.updated")  # the same news: cards have both
_STAYS_LONGER = {
    cards.Refunding.PENDING: "settle_refund",
    cards.Refunding.FAILS: "fail_refund",
}


def create(call: Call) -> Object:
    charge = _charge(call)
    amount = _amount(call, charge)
    method = call.get("payment_method", charge["payment_method"])
    refunding = card_of(method).refund
    refund = call.store.insert(_new(call, charge, amount))
    if refunding is cards.Refunding.PENDING:
        refund.update(status="pending", pending_reason="processing")
    refund["balance_transaction"] = balance.book_refund(call, refund)["id"]
    call.store.save(refund)
    if refunding in _STAYS_LONGER:
        call.later(SETTLES_AFTER, _STAYS_LONGER[refunding], refund["id"])
    events.emit(call, "refund.created", refund)
    before = _set_refunded(call, charge, charge["amount_refunded"] + amount)
    events.emit_update(call, "charge.refunded", before, charge)
    return refund


def _new(call: Call, charge: Object, amount: int) -> Object:
    return rules.blank(
        "refund",
        id=new_id("re_3", 23),
        object="refund",
        amount=amount,
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details={
            "type": "card",
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        },
        metadata=call.params.get("metadata") or {},
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=call.params.get("reason"),
        status="succeeded",
    )


def _charge(call: Call) -> Object:
    """The charge to give back. Raises ApiError 400 unless exactly one thing names it."""
    named = [name for name in ("charge", "payment_intent") if name in call.params]
    if not named:
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    if len(named) == 2:
        both = "You may only specify one of these parameters: charge, payment_intent."
        raise ApiError(both, code="parameters_exclusive", param="charge")
    if named[0] == "charge":
        return call.get("charge", call.params["charge"], "charge")
    intent = call.get("payment_intent", call.params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return call.get("charge", intent["latest_charge"])


def _amount(call: Call, charge: Object) -> int:
    """How much is to go back. Raises ApiError 400 if that much cannot."""
    name = charge["id"]
    if charge["status"] != "succeeded":
        raise ApiError(f"Charge {name} has not succeeded and cannot be refunded.", param="charge")
    if charge["refunded"]:
        raise ApiError(f"Charge {name} has already been refunded.", code="charge_already_refunded")
    if _held_by_dispute(call, charge):
        raise ApiError(f"Charge {name} has been charged back.", code="charge_disputed")
    left: int = charge["amount"] - charge["amount_refunded"]
    amount: int = call.params.get("amount", left)
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        raise ApiError(
            f"Refund amount ({spoken(amount, charge['currency'])}) is greater than unrefunded "
            f"amount on charge ({spoken(left, charge['currency'])})",
            param="amount",
        )
    return amount


def _held_by_dispute(call: Call, charge: Object) -> bool:
    where = "kind = 'dispute' AND json_extract(body, '$.charge') = ?"
    found = call.store.select(where, [charge["id"]], "seq", 100)
    return any(not dispute["is_charge_refundable"] for dispute in found)


def _set_refunded(call: Call, charge: Object, amount: int) -> Object:
    """Write how much of a charge went back; the charge as it was before."""
    before = {**charge}
    charge.update(amount_refunded=amount, refunded=amount == charge["amount"])
    call.store.save(charge)
    return before


def settle(call: Call, identifier: str) -> None:
    """A pending refund reached the card."""
    refund = call.get("refund", identifier)
    before = {**refund}
    refund.update(status="succeeded")
    del refund["pending_reason"]
    previous = {"status": "pending", "pending_reason": before["pending_reason"]}
    call.store.save(refund)
    for kind in _UPDATED:
        events.emit(call, kind, refund, previous)


def fail(call: Call, identifier: str) -> None:
    """The bank sent the money back: it is ours again, and the charge unrefunded by so much."""
    refund = call.get("refund", identifier)
    before = {**refund}
    refund.update(
        status="failed",
        failure_reason="unknown",
        failure_balance_transaction=balance.book_failed_refund(call, refund)["id"],
    )
    call.store.save(refund)
    charge = call.get("charge", refund["charge"])
    was = _set_refunded(call, charge, charge["amount_refunded"] - refund["amount"])
    _tell_updated(call, before, refund)
    events.emit(call, "refund.failed", refund)
    events.emit_update(call, "charge.updated", was, charge)


def retrieve(call: Call, refund: str) -> Object:
    return call.get("refund", refund)


def update(call: Call, refund: str) -> Object:
    found = call.get("refund", refund)
    before = {**found}
    copy_fields(found, call.params, ("metadata",))
    _tell_updated(call, before, call.store.save(found))
    return found


def _tell_updated(call: Call, before: Object, refund: Object) -> None:
    for kind in _UPDATED:
        events.emit_update(call, kind, before, refund)


def list_refunds(call: Call) -> Object:
    equal = {name: call.params.get(name) for name in ("charge", "payment_intent")}
    return lists.page(call, "refund", "/v1/refunds", **equal)


DEEDS: dict[str, Deed] = {"settle_refund": settle, "fail_refund": fail}
ROUTES: dict[str, Route] = {
    "POST /v1/refunds": route(create, "charge payment_intent amount reason metadata"),
    "GET /v1/refunds": route(list_refunds, lists.PAGING + "created charge payment_intent"),
    "GET /v1/refunds/{refund}": route(retrieve),
    "POST /v1/refunds/{refund}": route(update, "metadata"),
}
